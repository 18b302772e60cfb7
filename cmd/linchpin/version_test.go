package main

import (
	"encoding/json"
	"os/exec"
	"runtime/debug"
	"testing"
)

func TestTheVersionIsThatOfTheBuildInfo(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v0.4.1"}}
	if got := version(info, true); got != "v0.4.1 go1.26.8" {
		t.Errorf("got %q", got)
	}
	if got := version(nil, false); got != "unknown" {
		t.Errorf("without build info got %q", got)
	}
}

// TestGoInstallTakesTheModule checks what go install MODULE@VERSION asks: that the module replaces and excludes no
// others.
func TestGoInstallTakesTheModule(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", "../../go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Module           struct{ Path string }
		Replace, Exclude []any
	}
	if err := json.Unmarshal(out, &file); err != nil {
		t.Fatal(err)
	}
	if file.Module.Path != "github.com/linchpin-cmdb/linchpin" {
		t.Errorf("the module is %q", file.Module.Path)
	}
	if len(file.Replace) > 0 || len(file.Exclude) > 0 {
		t.Errorf("go.mod replaces %v and excludes %v", file.Replace, file.Exclude)
	}
}
