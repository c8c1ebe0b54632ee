//go:build parts

// Package parts pins the programs that the test bed builds from source; nothing here is compiled into Headgate.
package parts

import (
	_ "github.com/zegl/kube-score/cmd/kube-score"
)
