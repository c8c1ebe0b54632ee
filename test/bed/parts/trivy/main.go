// What `trivy config` finds in a file of Kubernetes manifests, by Trivy's own library and the checks that are built into it:
// the whole program takes longer to build than all the rest of the bed. Prints [{"id", "severity", "object", "message"}].
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing/fstest"

	"github.com/aquasecurity/trivy/pkg/iac/rego"
	"github.com/aquasecurity/trivy/pkg/iac/scan"
	"github.com/aquasecurity/trivy/pkg/iac/scanners/kubernetes"
	"gopkg.in/yaml.v3"
)

type finding struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Object   string `json:"object"`
	Message  string `json:"message"`
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(file string) error {
	manifests, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	files, err := oneFilePerObject(manifests)
	if err != nil {
		return err
	}
	scanner := kubernetes.NewScanner(rego.WithEmbeddedPolicies(true), rego.WithEmbeddedLibraries(true))
	results, err := scanner.ScanFS(context.Background(), files, ".")
	if err != nil {
		return err
	}
	if len(results) == 0 {
		return errors.New("trivy has judged nothing")
	}
	return json.NewEncoder(os.Stdout).Encode(describe(results.GetFailed()))
}

// Each object costs half a second of questions. About these they ask only whether their API is outdated, which kubeconform knows.
var kindsWithoutChecks = map[string]bool{
	"ControllerRevision": true, "CustomResourceDefinition": true, "DestinationRule": true, "HorizontalPodAutoscaler": true,
	"ModelDeployment": true, "PodDisruptionBudget": true, "VirtualService": true,
}

// The checks name a file and not an object.
func oneFilePerObject(manifests []byte) (fs.FS, error) {
	files := fstest.MapFS{}
	documents := yaml.NewDecoder(bytes.NewReader(manifests))
	for count := 0; ; count++ {
		var object map[string]any
		if err := documents.Decode(&object); errors.Is(err, io.EOF) {
			return files, nil
		} else if err != nil {
			return nil, err
		}
		text, err := yaml.Marshal(object)
		if err != nil {
			return nil, err
		}
		if kind, _ := object["kind"].(string); kindsWithoutChecks[kind] {
			continue
		}
		metadata, _ := object["metadata"].(map[string]any)
		files[fmt.Sprintf("%d/%v/%v.yaml", count, object["kind"], metadata["name"])] = &fstest.MapFile{Data: text}
	}
}

func describe(failed scan.Results) []finding {
	findings := []finding{}
	for _, result := range failed {
		_, object, _ := strings.Cut(result.Range().GetFilename(), "/")
		findings = append(findings, finding{
			ID:       result.Rule().ID,
			Severity: string(result.Severity()),
			Object:   strings.TrimSuffix(object, ".yaml"),
			Message:  result.Description(),
		})
	}
	return findings
}
