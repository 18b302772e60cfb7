package terraform

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

func TestAPlanSaysWhatItCreatesChangesAndRetires(t *testing.T) {
	const text = `{"format_version": "1.2",
"prior_state": {"values": {"root_module": {"resources": [
  {"address": "aws_subnet.a", "mode": "managed", "type": "aws_subnet", "name": "a", "values": {"id": "subnet-1"}}]}}},
"resource_changes": [
  {"address": "module.m.aws_instance.web[\"x\"]", "module_address": "module.m", "mode": "managed", "type": "aws_instance", "name": "web", "index": "x", "change": {"actions": ["create"],
    "before": null, "after": {"subnet_id": "subnet-1", "instance_type": "t3.micro", "user_data": "secret", "private_ip": "10.0.0.1"},
    "after_unknown": {"id": true, "arn": true, "user_data": true, "tags": {}}, "after_sensitive": {"private_ip": true}}},
  {"address": "aws_db_instance.db", "mode": "managed", "type": "aws_db_instance", "name": "db", "change": {"actions": ["update"],
    "before": {"id": "db-1", "engine_version": "15", "password": "a"}, "after": {"id": "db-1", "engine_version": "16", "password": "b"}}},
  {"address": "aws_instance.old", "mode": "managed", "type": "aws_instance", "name": "old", "change": {"actions": ["delete", "create"], "before": {"id": "i-1"}, "after": {"tags": {"Name": "new"}}, "after_unknown": {"id": true}}},
  {"address": "aws_s3_bucket.b", "mode": "managed", "type": "aws_s3_bucket", "name": "b", "change": {"actions": ["delete"], "before": {"id": "b", "bucket": "logs"}, "after": null}},
  {"address": "aws_iam_role.r", "mode": "managed", "type": "aws_iam_role", "name": "r", "change": {"actions": ["create"], "after": {}}},
  {"address": "aws_vpc.v", "mode": "managed", "type": "aws_vpc", "name": "v", "change": {"actions": ["no-op"], "before": {"id": "v"}, "after": {"id": "v"}}},
  {"address": "data.aws_ami.a", "mode": "data", "type": "aws_ami", "name": "a", "change": {"actions": ["read"]}},
  {"address": "aws_instance.d", "mode": "managed", "type": "aws_instance", "name": "d", "deposed": "1", "change": {"actions": ["delete"], "before": {"id": "i-9"}}}
]}`
	got, err := parsePlan("p.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := &Plan{Others: map[string]int{"aws_iam_role": 1}, Changes: []Change{
		{
			Address: `module.m.aws_instance.web["x"]`, Class: "instance", Name: `aws_instance.web["x"]`, Action: Create,
			Attributes: map[string]any{"instanceType": "t3.micro"}, Labels: map[string]string{"terraform": "aws_instance"}, Unknown: []string{"arn", "id"},
			Relationships: []importer.Relationship{{Type: "contained_in", Target: "aws_subnet.a", Evidence: "attribute subnet_id"}},
		},
		{Address: "aws_db_instance.db", Class: "managed_database", Name: "aws_db_instance.db", Action: Update, Attributes: map[string]any{"version": "16"}},
		{Address: "aws_instance.old", Class: "instance", Name: "new", Action: Replace, Attributes: map[string]any{}, Unknown: []string{"id"}},
		{Address: "aws_s3_bucket.b", Class: "bucket", Name: "logs", Action: Retire, Attributes: map[string]any{}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFileThatIsNoPlanIsRefusedByName(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"nothing", "", "p.json:1: this is no plan: broken JSON"},
		{"a binary plan", "PK\x03\x04", "p.json:1: this is no plan: broken JSON"},
		{"a state", `{"version": 4, "resources": []}`, "this is no plan: make one by `terraform plan -out FILE`"},
		{"a shown state", `{"format_version": "1.0", "values": {}}`, "this is no plan: make one by"},
		{"a plan that failed", `{"format_version": "1.2", "errored": true, "resource_changes": []}`, "the plan ended in errors"},
		{"another shape", `{"format_version": "1.2", "resource_changes": [{"change": 3}]}`, "the change cannot be read: change has another shape"},
		{"an unknown action", `{"format_version": "1.2", "resource_changes": [{"address": "a.b", "mode": "managed", "change": {"actions": ["dance"]}}]}`, "a.b: the actions [dance] are not known"},
		{"changes that are a map", `{"format_version": "1.2", "resource_changes": {}}`, "this is no plan: resource_changes has another shape"},
	} {
		if _, err := parsePlan("p.json", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	plan, err := parsePlan("p.json", []byte(`{"format_version": "1.2", "resource_changes": []}`))
	if err != nil || len(plan.Changes) != 0 {
		t.Errorf("a plan that changes nothing: %v, %v", plan, err)
	}
}
