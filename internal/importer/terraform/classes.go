package terraform

import (
	"path"
)

// classes are the classes of types of resources, the first that matches.
var classes = []struct {
	pattern, class string
}{
	{"aws_instance", "instance"},
	{"aws_spot_instance_request", "instance"},
	{"aws_launch_template", "instance"},
	{"aws_launch_configuration", "instance"},
	{"aws_autoscaling_group", "instance"},
	{"azurerm_virtual_machine", "instance"},
	{"azurerm_*_virtual_machine", "instance"},
	{"azurerm_*virtual_machine_scale_set", "instance"},
	{"google_compute_instance", "instance"},
	{"google_compute_instance_group_manager", "instance"},
	{"google_compute_region_instance_group_manager", "instance"},
	{"*_compute_instance_v2", "instance"},
	{"scaleway_instance_server", "instance"},
	{"hcloud_server", "instance"},
	{"digitalocean_droplet", "instance"},
	{"oci_core_instance", "instance"},
	{"linode_instance", "instance"},
	{"*_db_instance", "managed_database"},
	{"*_rds_cluster", "managed_database"},
	{"aws_rds_cluster_instance", "managed_database"},
	{"google_sql_database_instance", "managed_database"},
	{"azurerm_*sql_server", "managed_database"},
	{"azurerm_*sql_flexible_server", "managed_database"},
	{"azurerm_mssql_database", "managed_database"},
	{"azurerm_cosmosdb_account", "managed_database"},
	{"aws_dynamodb_table", "managed_database"},
	{"aws_elasticache_cluster", "managed_database"},
	{"aws_elasticache_replication_group", "managed_database"},
	{"aws_docdb_cluster", "managed_database"},
	{"aws_redshift_cluster", "managed_database"},
	{"aws_*search_domain", "managed_database"},
	{"google_redis_instance", "managed_database"},
	{"azurerm_redis_cache", "managed_database"},
	{"google_spanner_instance", "managed_database"},
	{"google_bigtable_instance", "managed_database"},
	{"scaleway_rdb_instance", "managed_database"},
	{"digitalocean_database_cluster", "managed_database"},
	{"aws_vpc", "vpc"},
	{"azurerm_virtual_network", "vpc"},
	{"google_compute_network", "vpc"},
	{"*_networking_network_v2", "vpc"},
	{"hcloud_network", "vpc"},
	{"digitalocean_vpc", "vpc"},
	{"aws_subnet", "subnet"},
	{"azurerm_subnet", "subnet"},
	{"google_compute_subnetwork", "subnet"},
	{"*_networking_subnet_v2", "subnet"},
	{"hcloud_network_subnet", "subnet"},
	{"aws_lb", "load_balancer"},
	{"aws_alb", "load_balancer"},
	{"aws_elb", "load_balancer"},
	{"azurerm_lb", "load_balancer"},
	{"azurerm_application_gateway", "load_balancer"},
	{"google_compute_*forwarding_rule", "load_balancer"},
	{"*_lb_loadbalancer_v2", "load_balancer"},
	{"hcloud_load_balancer", "load_balancer"},
	{"aws_cloudfront_distribution", "load_balancer"},
	{"aws_s3_bucket", "bucket"},
	{"google_storage_bucket", "bucket"},
	{"azurerm_storage_account", "bucket"},
	{"scaleway_object_bucket", "bucket"},
	{"aws_sqs_queue", "queue"},
	{"aws_sns_topic", "queue"},
	{"aws_kinesis_stream", "queue"},
	{"aws_msk_cluster", "queue"},
	{"aws_mq_broker", "queue"},
	{"google_pubsub_topic", "queue"},
	{"azurerm_servicebus_*queue", "queue"},
	{"azurerm_servicebus_topic", "queue"},
	{"azurerm_eventhub", "queue"},
	{"aws_lambda_function", "function"},
	{"google_cloudfunctions*_function", "function"},
	{"azurerm_*function_app", "function"},
	{"aws_eks_cluster", "k8s_cluster"},
	{"azurerm_kubernetes_cluster", "k8s_cluster"},
	{"google_container_cluster", "k8s_cluster"},
	{"scaleway_k8s_cluster*", "k8s_cluster"},
	{"digitalocean_kubernetes_cluster", "k8s_cluster"},
	{"aws_eks_node_group", "cluster"},
	{"azurerm_kubernetes_cluster_node_pool", "cluster"},
	{"google_container_node_pool", "cluster"},
	{"scaleway_k8s_pool*", "cluster"},
	{"aws_ecs_cluster", "cluster"},
	{"scaleway_instance_placement_group", "cluster"},
	{"aws_placement_group", "cluster"},
	{"aws_ecs_service", "workload"},
	{"google_cloud_run*_service", "workload"},
	{"azurerm_container_app", "workload"},
	{"aws_ebs_volume", "volume"},
	{"google_compute_disk", "volume"},
	{"azurerm_managed_disk", "volume"},
	{"*_blockstorage_volume_v2", "volume"},
	{"*_blockstorage_volume_v3", "volume"},
	{"hcloud_volume", "volume"},
	{"aws_efs_file_system", "volume"},
}

func classOf(kind string) string {
	for _, c := range classes {
		if ok, err := path.Match(c.pattern, kind); ok && err == nil {
			return c.class
		}
	}
	return ""
}

// kept are the attributes that a CI of a class gets, by the names that providers give them. Of several that a resource
// has, the first counts.
var kept = map[string]map[string][]string{
	"instance":         {"instanceType": {"instance_type", "size", "vm_size", "machine_type", "flavor_name", "type"}, "ipAddress": {"private_ip", "private_ip_address", "access_ip_v4", "ipv4_address"}},
	"managed_database": {"engine": {"engine", "database_version"}, "version": {"engine_version", "version"}, "instanceType": {"instance_class", "node_type", "sku_name"}},
	"subnet":           {"cidr": {"cidr_block", "ip_cidr_range", "cidr", "address_prefix"}},
	"vpc":              {"cidr": {"cidr_block", "cidr", "ip_range"}},
	"k8s_cluster":      {"version": {"version", "kubernetes_version", "min_master_version"}},
	"function":         {"language": {"runtime"}},
}

// located are the attributes that tell where a resource is, of any class.
var located = []string{"region", "location", "availability_zone", "zone"}

// named are the attributes that call a resource by a name.
var named = []string{"name", "bucket", "identifier", "cluster_identifier", "function_name", "cluster_id", "domain_name"}

// groupAttributes are the attributes that name the security groups of a resource.
var groupAttributes = []string{"vpc_security_group_ids", "security_groups", "security_group_ids"}

// references are the attributes that name another resource, and the relationship that it shows.
var references = map[string]string{
	"subnet_id": "contained_in", "subnet_ids": "contained_in", "subnets": "contained_in", "vpc_zone_identifier": "contained_in", "vpc_id": "contained_in", "virtual_network_id": "contained_in",
	"network_id": "contained_in", "network": "contained_in", "subnetwork": "contained_in", "vnet_subnet_id": "contained_in", "virtual_network_name": "contained_in",
	"cluster": "runs_on", "cluster_name": "runs_on", "kubernetes_cluster_id": "runs_on", "cluster_id": "runs_on", "placement_group_id": "runs_on",
	"replicate_source_db": "depends_on", "launch_template_id": "depends_on", "event_source_arn": "depends_on", "remote_virtual_network_id": "connects_to",
}

// read are the attributes that are read at all.
var read = func() map[string]bool {
	all := map[string]bool{}
	add := func(names ...string) {
		for _, name := range names {
			all[name] = true
		}
	}
	add(located...)
	add(named...)
	add(groupAttributes...)
	for name := range references {
		add(name)
	}
	for _, attributes := range kept {
		for _, names := range attributes {
			add(names...)
		}
	}
	add("id", "arn", "self_link", "tags", "labels", "ingress", "egress", "type", "direction", "security_group_id", "source_security_group_id", "remote_group_id", "referenced_security_group_id",
		"source_tags", "target_tags", "load_balancer_arn", "target_group_arn", "default_action", "target_id", "instance_id", "volume_id", "network_interface_ids", "size", "port")
	return all
}()
