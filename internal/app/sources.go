package app

import (
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/backstage"
	"github.com/linchpin-cmdb/linchpin/internal/importer/compose"
	"github.com/linchpin-cmdb/linchpin/internal/importer/estate"
	"github.com/linchpin-cmdb/linchpin/internal/importer/glpi"
	"github.com/linchpin-cmdb/linchpin/internal/importer/kubernetes"
	"github.com/linchpin-cmdb/linchpin/internal/importer/terraform"
)

// SourceKind is a kind of files that can be imported.
type SourceKind struct {
	Name, Short, Example string
	Open                 func(paths []string) (importer.Source, error)
}

// Sources are all kinds. A new one is a package and a line here.
var Sources = []SourceKind{
	{"backstage", "Import a Backstage catalogue: entity files, folders of them", "catalog-info.yaml teams/", func(p []string) (importer.Source, error) { return backstage.New(p), nil }},
	{"kubernetes", "Import Kubernetes manifests: workloads, Services, and who calls whom", "manifests/ network-policies/", func(p []string) (importer.Source, error) { return kubernetes.New(p), nil }},
	{"compose", "Import Compose projects: services, volumes, and what needs what", "shop/compose.yaml stacks/", func(p []string) (importer.Source, error) { return compose.New(p), nil }},
	{"terraform", "Import states of Terraform and OpenTofu: what is rented, and what needs what", "terraform.tfstate states/", func(p []string) (importer.Source, error) { return terraform.New(p), nil }},
	{"glpi", "Import inventories of GLPI's agent: computers, virtual machines, network equipment", "inventories/", func(p []string) (importer.Source, error) { return glpi.New(p), nil }},
	{"estate", "Import Linchpin's own estate files", "estate/", func(p []string) (importer.Source, error) { return estate.Open("estate", p...) }},
}
