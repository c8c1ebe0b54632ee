//go:build parts

// Package parts pins the programs that the test bed builds from source; nothing here is compiled into Headgate.
package parts

import (
	_ "helm.sh/helm/v3/cmd/helm"
)
