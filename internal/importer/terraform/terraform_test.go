package terraform

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/fixture"
)

type result struct {
	rows    []importer.Row
	notices []importer.Notice
	err     error
}

func (r result) texts() (all []string) {
	for _, n := range r.notices {
		all = append(all, filepath.Base(n.Error()))
	}
	return all
}

func (r result) ci(t testing.TB, key string) *importer.CI {
	t.Helper()
	for _, row := range r.rows {
		if row.CI.ExternalID == key {
			return row.CI
		}
	}
	t.Fatalf("no row %q", key)
	return nil
}

// graph returns the addresses of all CIs, and "from kind to" of all relationships, without lineages.
func (r result) graph() (nodes, edges []string) {
	bare := func(key string) string {
		_, address, ok := strings.Cut(key, "/")
		if !ok {
			return key
		}
		return address
	}
	for _, row := range r.rows {
		nodes = append(nodes, bare(row.CI.ExternalID))
		for _, rel := range row.CI.Relationships {
			edges = append(edges, bare(row.CI.ExternalID)+" "+rel.Type+" "+bare(rel.Target))
		}
	}
	slices.Sort(nodes)
	slices.Sort(edges)
	return nodes, edges
}

func collect(t testing.TB, paths ...string) (r result) {
	t.Helper()
	for row, err := range New(paths).Rows(t.Context()) {
		var n *importer.Notice
		switch {
		case errors.As(err, &n):
			r.notices = append(r.notices, *n)
		case err != nil:
			r.err = err
		default:
			r.rows = append(r.rows, row)
		}
	}
	return r
}

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// stateOf wraps resources in a state of version 4.
func stateOf(resources string) string {
	return `{"version": 4, "terraform_version": "1.9.0", "serial": 3, "lineage": "l1", "outputs": {"p": {"value": "hunter2"}}, "resources": [` + resources + `]}`
}

func from(t testing.TB, resources string) result {
	t.Helper()
	return collect(t, write(t, "terraform.tfstate", stateOf(resources)))
}

func TestTheStatesOfInframapGiveTheGraphsThatItsTestsState(t *testing.T) {
	// TestTheStatesOfInframapGiveTheGraphsThatItsTestsState leaves out what stands outside of a state: inframap's im_out.
	dir := filepath.Join(fixture.Dir(t), "terraform")
	for file, want := range map[string]struct{ nodes, edges []string }{
		"multi_module_state.json": {
			[]string{"module.kapsule.scaleway_k8s_cluster_beta.cluster", "module.node_pool.scaleway_k8s_pool_beta.nodes", "scaleway_instance_placement_group.infra"},
			[]string{
				"module.node_pool.scaleway_k8s_pool_beta.nodes depends_on module.kapsule.scaleway_k8s_cluster_beta.cluster",
				"module.node_pool.scaleway_k8s_pool_beta.nodes depends_on scaleway_instance_placement_group.infra",
			},
		},
		"aws_state_sg.json": {
			[]string{"module.lemp.aws_db_instance.Cpbzf[0]", "module.lemp.aws_launch_template.vIkyE", "module.lemp.aws_lb.tQBgz"},
			[]string{
				"module.lemp.aws_launch_template.vIkyE depends_on module.lemp.aws_db_instance.Cpbzf[0]",
				"module.lemp.aws_lb.tQBgz depends_on module.lemp.aws_launch_template.vIkyE",
			},
		},
		"aws_state_multiple_hanging_edges.json": {
			[]string{"module.tf-8-wordpress-demo.aws_ecs_cluster.ecs-cluster", "module.tf-8-wordpress-demo.aws_ecs_service.wordpress", "module.tf-8-wordpress-demo.aws_lb.load-balancer"},
			[]string{
				"module.tf-8-wordpress-demo.aws_ecs_service.wordpress depends_on module.tf-8-wordpress-demo.aws_ecs_cluster.ecs-cluster",
				"module.tf-8-wordpress-demo.aws_lb.load-balancer depends_on module.tf-8-wordpress-demo.aws_ecs_service.wordpress",
			},
		},
		"aws_state_cyclic.json": {
			[]string{"aws_instance.bastion0", "aws_instance.prometheus-prometheus-eu-we1-infra"},
			[]string{"aws_instance.prometheus-prometheus-eu-we1-infra depends_on aws_instance.bastion0"},
		},
		"openstack_state_sg.json": {
			[]string{"openstack_compute_instance_v2.PiGtZ", "openstack_compute_instance_v2.sjSbA"},
			[]string{"openstack_compute_instance_v2.PiGtZ depends_on openstack_compute_instance_v2.sjSbA"},
		},
		"flexibleengine_state_tf_011.json": {
			[]string{"flexibleengine_compute_instance_v2.CpCKR", "flexibleengine_compute_instance_v2.uwGDt"},
			[]string{"flexibleengine_compute_instance_v2.uwGDt depends_on flexibleengine_compute_instance_v2.CpCKR"},
		},
		"google_state.json": {
			[]string{"google_compute_instance.ZthAT", "google_compute_instance.lodiw"},
			[]string{"google_compute_instance.ZthAT depends_on google_compute_instance.lodiw"},
		},
		"azure.tfstate": {
			[]string{
				"azurerm_linux_virtual_machine.myterraformvm", "azurerm_linux_virtual_machine.myterraformvm2", "azurerm_virtual_network.myterraformnetwork",
				"azurerm_virtual_network.myterraformnetwork2",
			},
			[]string{
				"azurerm_linux_virtual_machine.myterraformvm depends_on azurerm_virtual_network.myterraformnetwork",
				"azurerm_linux_virtual_machine.myterraformvm2 depends_on azurerm_virtual_network.myterraformnetwork2",
			},
		},
	} {
		t.Run(file, func(t *testing.T) {
			r := collect(t, filepath.Join(dir, file))
			nodes, edges := r.graph()
			if diff := cmp.Diff(want.nodes, nodes); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(want.edges, edges); diff != "" {
				t.Error(diff)
			}
			for _, n := range r.notices {
				if n.Kind != importer.Skipped {
					t.Errorf("%v", &n)
				}
			}
			for _, row := range r.rows {
				if row.Origin.Line < 2 {
					t.Errorf("%s stands at %v", row.CI.ExternalID, row.Origin)
				}
			}
		})
	}
	for file, want := range map[string]string{
		"error_missing_id.json":      `error_missing_id.json:5: aws_db_instance.mydb has no id: it was not made, or is on its way`,
		"version_3_state.json":       "version_3_state.json:1: this is a state of version 3, of a Terraform before 0.12: upgrade it, with Terraform 0.12 or newer, by `terraform init && terraform refresh`",
		"empty.json":                 "empty.json:1: this is a state of version 3, of a Terraform before 0.12: upgrade it, with Terraform 0.12 or newer, by `terraform init && terraform refresh`",
		"invalid_version_state.json": "invalid_version_state.json:1: this is a state of version 2, of a Terraform before 0.12: upgrade it, with Terraform 0.12 or newer, by `terraform init && terraform refresh`",
	} {
		r := collect(t, filepath.Join(dir, file))
		if diff := cmp.Diff([]string{want}, r.texts()); diff != "" || r.rows != nil || r.notices[0].Kind != importer.Rejected {
			t.Errorf("%s%+v", diff, r.rows)
		}
	}
}

const shop = `
{"mode": "managed", "type": "aws_vpc", "name": "main", "instances": [{"attributes": {"id": "vpc-1", "cidr_block": "10.0.0.0/16", "tags": {"Name": "shop"}}}]},
{"mode": "managed", "type": "aws_subnet", "name": "a", "instances": [{"index_key": "a", "attributes": {"id": "subnet-a", "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24", "availability_zone": "eu-west-1a"}},
	{"index_key": "b", "attributes": {"id": "subnet-b", "vpc_id": "vpc-1"}}]},
{"mode": "managed", "type": "aws_security_group", "name": "lb", "instances": [{"attributes": {"id": "sg-lb"}}]},
{"mode": "managed", "type": "aws_security_group", "name": "web", "instances": [{"attributes": {"id": "sg-web"}}]},
{"mode": "managed", "type": "aws_security_group", "name": "db", "instances": [{"attributes": {"id": "sg-db"}}]},
{"mode": "managed", "type": "aws_vpc_security_group_ingress_rule", "name": "web", "instances": [{"attributes": {"id": "r1", "security_group_id": "sg-web", "referenced_security_group_id": "sg-lb"}}]},
{"mode": "managed", "type": "aws_security_group_rule", "name": "out", "instances": [{"attributes": {"id": "r2", "type": "egress", "security_group_id": "sg-web", "source_security_group_id": "sg-db"}}]},
{"mode": "managed", "type": "aws_lb", "name": "front", "instances": [{"attributes": {"id": "arn:lb", "arn": "arn:lb", "name": "front", "subnets": ["subnet-a", "subnet-b"], "security_groups": ["sg-lb"]}}]},
{"mode": "managed", "type": "aws_lb_target_group_attachment", "name": "w", "instances": [{"attributes": {"id": "a1", "target_group_arn": "arn:tg", "target_id": "i-1"}}]},
{"mode": "managed", "type": "aws_lb_listener", "name": "https", "instances": [{"attributes": {"id": "arn:l", "load_balancer_arn": "arn:lb", "default_action": [{"target_group_arn": "arn:tg", "type": "forward"}]}}]},
{"mode": "managed", "type": "aws_instance", "name": "web", "instances": [
	{"index_key": 0, "attributes": {"id": "i-1", "subnet_id": "subnet-a", "vpc_security_group_ids": ["sg-web"], "instance_type": "t3.micro", "private_ip": "10.0.1.5", "user_data": "hunter2", "tags": {"Name": "web-1", "secret": "hunter2"}},
	 "sensitive_attributes": [[{"type": "get_attr", "value": "user_data"}]], "dependencies": ["aws_db_instance.db", "aws_subnet.a", "aws_vpc.main", "aws_security_group.db"]},
	{"index_key": 1, "status": "tainted", "attributes": {"id": "i-2", "vpc_security_group_ids": []}, "dependencies": ["aws_security_group.web"]},
	{"index_key": 1, "deposed": "01234567", "attributes": {"id": "i-0"}}]},
{"mode": "managed", "type": "aws_ebs_volume", "name": "data", "instances": [{"attributes": {"id": "vol-1", "size": 20}}]},
{"mode": "managed", "type": "aws_volume_attachment", "name": "data", "instances": [{"attributes": {"id": "va", "instance_id": "i-1", "volume_id": "vol-1"}}]},
{"mode": "managed", "type": "aws_db_instance", "name": "db", "instances": [{"attributes": {"id": "db", "identifier": "shop-db", "engine": "postgres", "engine_version": "16.1", "port": 5432, "password": "hunter2", "vpc_security_group_ids": ["sg-db"], "address": "db.example.com"}}]},
{"mode": "data", "type": "aws_instance", "name": "other", "instances": [{"attributes": {"id": "i-9"}}]}`

func TestResourcesBecomeCIsAndWhatTheyNeedIsFound(t *testing.T) {
	r := from(t, shop)
	if diff := cmp.Diff([]string{`terraform.tfstate: resources of types that have no class: aws_lb_listener 1, aws_lb_target_group_attachment 1, aws_security_group 3, aws_security_group_rule 1, aws_volume_attachment 1, aws_vpc_security_group_ingress_rule 1`}, r.texts()); diff != "" {
		t.Error(diff)
	}
	want := &importer.CI{
		ExternalID: "l1/aws_instance.web[0]", Class: "instance", Name: "web-1", Labels: map[string]string{"terraform": "aws_instance"},
		Attributes: map[string]any{"providerId": "i-1", "instanceType": "t3.micro", "ipAddress": "10.0.1.5"},
		Relationships: []importer.Relationship{
			{Type: "depends_on", Target: "l1/aws_db_instance.db", Strength: "SOFT", Evidence: "security groups web, db"},
			{Type: "depends_on", Target: "l1/aws_ebs_volume.data", Evidence: "attachment data"},
			{Type: "contained_in", Target: `l1/aws_subnet.a["a"]`, Evidence: "attribute subnet_id"},
			{Type: "depends_on", Target: `l1/aws_subnet.a["b"]`, Strength: "SOFT", Evidence: "dependencies"},
			{Type: "depends_on", Target: "l1/aws_vpc.main", Strength: "SOFT", Evidence: "dependencies"},
		},
	}
	if diff := cmp.Diff(want, r.ci(t, "l1/aws_instance.web[0]")); diff != "" {
		t.Error(diff)
	}
	lb := r.ci(t, "l1/aws_lb.front")
	if diff := cmp.Diff([]importer.Relationship{
		{Type: "depends_on", Target: "l1/aws_instance.web[0]", Strength: "SOFT", Evidence: "listener https; security groups lb, web"},
		{Type: "contained_in", Target: `l1/aws_subnet.a["a"]`, Strength: "SOFT", Evidence: "attribute subnets"},
		{Type: "contained_in", Target: `l1/aws_subnet.a["b"]`, Strength: "SOFT", Evidence: "attribute subnets"},
	}, lb.Relationships); diff != "" {
		t.Error(diff)
	}
	// An empty list of groups says that there is none, whatever the dependencies are.
	tainted := r.ci(t, "l1/aws_instance.web[1]")
	if tainted.Labels["tainted"] != "true" || tainted.Relationships != nil {
		t.Errorf("%+v", tainted)
	}
	db := r.ci(t, "l1/aws_db_instance.db")
	if diff := cmp.Diff(map[string]any{"providerId": "db", "engine": "postgres", "version": "16.1", "port": int64(5432)}, db.Attributes); diff != "" || db.Name != "shop-db" || db.Class != "managed_database" {
		t.Errorf("%s%+v", diff, db)
	}
	if got := r.ci(t, "l1/aws_vpc.main"); got.Name != "shop" || got.Attributes["cidr"] != "10.0.0.0/16" {
		t.Errorf("%+v", got)
	}
	if got := r.ci(t, "l1/aws_ebs_volume.data").Attributes["sizeGiB"]; got != int64(20) {
		t.Errorf("%v", got)
	}
	for _, row := range r.rows {
		if text := strings.ToLower(cmp.Diff(row, importer.Row{})); strings.Contains(text, "hunter2") || strings.Contains(row.CI.ExternalID, "other") {
			t.Errorf("%s", text)
		}
	}
}

func TestAttributesThatAreOnNoListAreNotKept(t *testing.T) {
	st, notice := parse("s.json", []byte(stateOf(shop)))
	if notice != nil {
		t.Fatal(notice)
	}
	kept := 0
	for _, r := range st.resources {
		for name := range r.values {
			kept++
			if name == "password" || name == "user_data" || name == "address" {
				t.Errorf("%s keeps %s", r.address, name)
			}
		}
	}
	if kept < 30 {
		t.Errorf("%d attributes are kept", kept)
	}
}

func TestTheOrderOfAStateSaysNothing(t *testing.T) {
	want := from(t, shop)
	parts := strings.Split(strings.TrimSpace(shop), "},\n{\"mode\"")
	slices.Reverse(parts)
	for i := range parts {
		parts[i] = strings.TrimSuffix(strings.TrimPrefix(parts[i], `{"mode"`), "}")
	}
	got := from(t, `{"mode"`+strings.Join(parts, "},\n{\"mode\"")+"}")
	for _, row := range want.rows {
		if diff := cmp.Diff(row.CI, got.ci(t, row.CI.ExternalID)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestThePrintOfShowIsReadAlike(t *testing.T) {
	r := collect(t, write(t, "shown.json", `{"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": {
		"resources": [{"address": "aws_vpc.main", "mode": "managed", "type": "aws_vpc", "name": "main", "values": {"id": "vpc-1", "tags": {"Name": "shop"}}, "sensitive_values": {}}],
		"child_modules": [{"address": "module.web[\"a.b\"]", "resources": [
			{"address": "module.web[\"a.b\"].aws_instance.web[1]", "mode": "managed", "type": "aws_instance", "name": "web", "index": 1, "tainted": true, "values": {"id": "i-1", "password": "hunter2"}, "depends_on": ["module.db.aws_db_instance.db", "aws_vpc.main"]},
			{"address": "module.web[\"a.b\"].data.aws_ami.x", "mode": "data", "type": "aws_ami", "name": "x", "values": {"id": "ami-1"}}]},
		  {"address": "module.db", "resources": [{"address": "module.db.aws_db_instance.db", "mode": "managed", "type": "aws_db_instance", "name": "db", "values": {"id": "db-1"}}]}]}}}`))
	if r.notices != nil {
		t.Errorf("%q", r.texts())
	}
	web := r.ci(t, `module.web["a.b"].aws_instance.web[1]`)
	if diff := cmp.Diff([]importer.Relationship{
		{Type: "depends_on", Target: "aws_vpc.main", Strength: "SOFT", Evidence: "dependencies"},
		{Type: "depends_on", Target: "module.db.aws_db_instance.db", Strength: "SOFT", Evidence: "dependencies"},
	}, web.Relationships); diff != "" || web.Labels["tainted"] != "true" || web.Name != "aws_instance.web[1]" {
		t.Errorf("%s%+v", diff, web)
	}
}

func TestOfOneLineageTheHigherSerialCounts(t *testing.T) {
	at := func(serial string, id string) string {
		return write(t, "s"+serial+".tfstate", strings.Replace(stateOf(`{"mode": "managed", "type": "aws_instance", "name": "web", "instances": [{"attributes": {"id": "`+id+`"}}]}`), `"serial": 3`, `"serial": `+serial, 1))
	}
	for _, paths := range [][]string{{at("7", "new"), at("6", "old")}, {at("6", "old"), at("7", "new")}} {
		r := collect(t, paths...)
		if len(r.rows) != 1 || r.rows[0].CI.Attributes["providerId"] != "new" || len(r.notices) != 1 || !strings.Contains(r.notices[0].Error(), "serial 6 of lineage l1 is not newer than serial 7") {
			t.Errorf("%+v %q", r.rows, r.texts())
		}
	}
}

func TestAFileThatIsNoStateIsRefusedAndTellsNoSecret(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"broken", `{"version": 4, "resources": [hunter2`, `s.json:1: this is no state: broken JSON at byte 30`},
		{"a list", `["hunter2"]`, `s.json:1: this is no state: it has another shape than in a state`},
		{"another thing", `{"name": "hunter2"}`, "s.json:1: this is no state of Terraform or OpenTofu, and not what `show -json` prints"},
		{"a newer version", `{"version": 5}`, `s.json:1: this is a state of version 5: version 4 is known`},
		{"an encrypted state", `{"serial": 1, "lineage": "x", "meta": {}, "encrypted_data": "hunter2", "encryption_version": "v0"}`, "s.json:1: the state is encrypted: import what `tofu show -json` prints"},
		{"a plan", `{"format_version": "1.2", "resource_changes": [], "planned_values": {}}`, "s.json:1: this is a plan, not a state: import what `terraform show -json` prints without a plan, or draft a change of it by linchpin import terraform-plan"},
		{"an empty state", `{"format_version": "1.0"}`, "s.json:1: what `show -json` printed holds no state: it is empty"},
		{"a resource of another shape", stateOf("\n" + `{"mode": "managed", "type": "aws_instance", "name": ["hunter2"]}`), `s.json:2: the resource cannot be read: Name has another shape than in a state`},
		{"attributes of another shape", stateOf(`{"mode": "managed", "type": "aws_instance", "name": "a", "instances": [{"attributes": ["hunter2"]}]}`), `s.json:1: the resource cannot be read: `},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := collect(t, write(t, "s.json", c.content))
			if len(r.notices) != 1 || !strings.HasPrefix(r.texts()[0], c.want) || r.rows != nil || r.err != nil || strings.Contains(r.texts()[0], "hunter2") {
				t.Errorf("%q %v", r.texts(), r.err)
			}
		})
	}
	if r := collect(t, filepath.Join(t.TempDir(), "gone")); !errors.Is(r.err, fs.ErrNotExist) {
		t.Error(r.err)
	}
}

func TestIDsOfAzureAreComparedWithoutTheirCase(t *testing.T) {
	r := from(t, `{"mode": "managed", "type": "azurerm_subnet", "name": "a", "instances": [{"attributes": {"id": "/subscriptions/X/subnets/A"}}]},
		{"mode": "managed", "type": "azurerm_kubernetes_cluster", "name": "k", "instances": [{"attributes": {"id": "/subscriptions/X/k", "vnet_subnet_id": "/subscriptions/x/Subnets/a"}}]}`)
	if diff := cmp.Diff([]importer.Relationship{{Type: "contained_in", Target: "l1/azurerm_subnet.a", Evidence: "attribute vnet_subnet_id"}}, r.ci(t, "l1/azurerm_kubernetes_cluster.k").Relationships); diff != "" {
		t.Error(diff)
	}
}

func TestOddValuesOfAttributesAreNothing(t *testing.T) {
	r := from(t, `{"mode": "managed", "type": "aws_instance", "name": "a", "instances": [
		{"attributes": {"id": "i", "tags": "x", "subnet_id": 3, "vpc_security_group_ids": [1, null, {}], "ingress": [1], "private_ip": null}, "dependencies": ["gone.gone", ""]},
		{"index_key": 1, "attributes": null}, {"index_key": 2, "attributes": {}}]}`)
	if len(r.rows) != 1 || len(r.notices) != 2 || r.rows[0].CI.Relationships != nil {
		t.Errorf("%+v %q", r.rows, r.texts())
	}
}

func FuzzState(f *testing.F) {
	f.Add([]byte(stateOf(shop)))
	f.Add([]byte(`{"format_version": "1.0", "values": {"root_module": {"resources": [{"address": "a.b[\"x\"]", "mode": "managed", "type": "aws_vpc"}]}}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if st, notice := parse("f.json", content); notice == nil {
			for _, row := range first(st.rows()) {
				if row.CI.ExternalID == "" {
					t.Fatalf("%+v", row)
				}
			}
		}
	})
}

func first(rows []importer.Row, _ []*importer.Notice) []importer.Row { return rows }
