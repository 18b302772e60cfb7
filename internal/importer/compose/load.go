package compose

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// longestFile bounds a file of a project, in bytes.
const longestFile = 4 << 20

// project is a Compose project as it was loaded.
type project struct {
	*types.Project
	name    string
	file    string                     // the first one
	places  map[string]importer.Origin // of services and volumes, by their external ids
	unset   []string                   // variables that have no value
	unknown map[string]bool            // texts whose value is not known, as they were written
	raw     map[string]any             // the model as it was written
	notices []*importer.Notice
}

// load loads the files of a project, laid over one another.
func load(ctx context.Context, files []string) (*project, *importer.Notice) {
	details := types.ConfigDetails{WorkingDir: filepath.Dir(files[0]), Environment: types.Mapping{}}
	p := &project{file: files[0], places: map[string]importer.Origin{}, unknown: map[string]bool{}}
	contents := make([][]byte, len(files))
	for i, file := range files {
		content, notice := read(file)
		if notice != nil {
			return nil, notice
		}
		contents[i] = content
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: file, Content: content})
	}
	p.readDotEnv(&details)
	// Each load writes into the details.
	again := details
	again.Environment = details.Environment.Clone()
	again.ConfigFiles = slices.Clone(details.ConfigFiles)
	loaded, err := loader.LoadWithContext(ctx, details, p.options(details, false))
	if err != nil {
		return nil, rejected(files[0], "the project cannot be loaded: %s", withoutValues(err))
	}
	p.Project, p.name = loaded, loaded.Name
	if len(p.unknown) > 0 {
		if p.raw, err = loader.LoadModelWithContext(ctx, again, p.options(again, true)); err != nil {
			p.raw = nil
		}
	}
	if p.unset != nil {
		p.notices = append(p.notices, &importer.Notice{
			Origin: importer.Origin{File: files[0]}, Kind: importer.Warning,
			Reason: fmt.Sprintf("variables that are not set: %s; images and ports that need them were left out; set them in %s", strings.Join(p.unset, ", "), filepath.Join(details.WorkingDir, ".env")),
		})
	}
	for i, file := range files {
		p.locate(file, contents[i])
	}
	return p, nil
}

func read(file string) ([]byte, *importer.Notice) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, rejected(file, "the file cannot be read: %v", err)
	case !info.Mode().IsRegular():
		return nil, rejected(file, "not a regular file")
	case info.Size() > longestFile:
		return nil, rejected(file, "the file holds %d bytes: at most %d", info.Size(), longestFile)
	}
	content, err := os.ReadFile(file) //nolint:gosec // the person at the command line says which file
	if err != nil {
		return nil, rejected(file, "the file cannot be read: %v", err)
	}
	return content, nil
}

// readDotEnv reads the variables of the project's own file, as Compose does. It does not read those of the process,
// since the same files would then mean something else to each person.
func (p *project) readDotEnv(details *types.ConfigDetails) {
	file := filepath.Join(details.WorkingDir, ".env")
	if _, err := os.Stat(file); err != nil {
		return
	}
	values, err := dotenv.GetEnvFromFile(map[string]string{}, []string{file})
	if err != nil {
		p.notices = append(p.notices, &importer.Notice{Origin: importer.Origin{File: file}, Kind: importer.Warning, Reason: "the file cannot be read as NAME=value lines, so that its variables are not set"})
		return
	}
	details.Environment = details.Environment.Merge(values)
}

// options returns what is asked of the loader. If the model is wanted as it was written, it replaces no variable.
func (p *project) options(details types.ConfigDetails, asWritten bool) func(*loader.Options) {
	return func(o *loader.Options) {
		name := "project"
		if folder, err := filepath.Abs(details.WorkingDir); err == nil && loader.NormalizeProjectName(filepath.Base(folder)) != "" {
			name = loader.NormalizeProjectName(filepath.Base(folder))
		}
		o.SetProjectName(name, false)
		o.SkipConsistencyCheck, o.SkipResolveEnvironment, o.SkipResolveLabels, o.SkipNormalization = true, true, true, true
		o.SkipInterpolation, o.SkipValidation = asWritten, asWritten
		o.ResolvePaths = false
		o.Profiles = []string{"*"}
		o.Interpolate.Substitute = p.substitute
	}
}

var variableName = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// substitute replaces the variables of a text. One that has no value and no default becomes 1, which is a name, a port,
// a path and a number: one unknown value does not refuse the project.
func (p *project) substitute(text string, values template.Mapping) (string, error) {
	return template.SubstituteWithOptions(text, values, template.WithoutLogging, template.WithReplacementFunction(
		func(part string, values template.Mapping, c *template.Config) (string, error) {
			value, isKnown, err := template.DefaultReplacementAppliedFunc(part, values, c)
			if err == nil && isKnown {
				return value, nil
			}
			p.unknown[text] = true
			if name := variableName.FindString(part); name != "" && !slices.Contains(p.unset, name) {
				p.unset = append(p.unset, name)
				slices.Sort(p.unset)
			}
			return "1", nil
		}))
}

// asWritten returns what stands in the files under a path of keys of a service, before variables are replaced.
func (p *project) asWritten(service, key string) any {
	services, _ := p.raw["services"].(map[string]any)
	one, _ := services[service].(map[string]any)
	return one[key]
}

// isUnknown reports whether a variable without a value stands in what was written.
func (p *project) isUnknown(written any) bool {
	switch written := written.(type) {
	case string:
		return p.unknown[written]
	case []any:
		return slices.ContainsFunc(written, p.isUnknown)
	case map[string]any:
		for _, value := range written {
			if p.isUnknown(value) {
				return true
			}
		}
	}
	return false
}

// isCertain reports whether no variable without a value stands in a field of a service.
func (p *project) isCertain(service, key string) bool {
	return len(p.unknown) == 0 || p.raw != nil && !p.isUnknown(p.asWritten(service, key))
}

// locate notes in which lines services and volumes are described, the first time.
func (p *project) locate(file string, content []byte) {
	var root yaml.Node
	if err := yaml.Unmarshal(content, &root); err != nil || len(root.Content) == 0 {
		return
	}
	for section, kind := range map[string]string{"services": "service", "volumes": "volume"} {
		entries := under(root.Content[0], section)
		for i := 0; entries != nil && i+1 < len(entries.Content); i += 2 {
			key := entries.Content[i]
			id := p.id(kind, key.Value)
			if _, ok := p.places[id]; !ok {
				p.places[id] = importer.Origin{File: file, Line: key.Line}
			}
		}
	}
}

// under returns the map under a key of a map, or nil.
func under(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && n.Content[i+1].Kind == yaml.MappingNode {
			return n.Content[i+1]
		}
	}
	return nil
}

func (p *project) id(kind, name string) string { return kind + ":" + p.name + "/" + name }

// origin returns the place of a service or volume. For one that an included file describes it is the project's first
// file.
func (p *project) origin(kind, name string) importer.Origin {
	if at, ok := p.places[p.id(kind, name)]; ok {
		return at
	}
	return importer.Origin{File: p.file}
}

// value matches where messages of the loader begin to repeat what stands in a file.
var value = regexp.MustCompile(`(?s)[,:]? (?:value:|got unconvertible|found|\x60|"|').*$`)

// withoutValues returns the first line of an error up to where it may repeat a value, which may be a password.
func withoutValues(err error) string {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err.Error()
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSpace(value.ReplaceAllString(line, ""))
}
