package kubernetes

import (
	"regexp"
	"strings"
)

var (
	// dnsLabel matches a label of a DNS name. Service names begin with a letter (RFC 1035), so that "8080" is not a
	// name.
	dnsLabel    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	serviceName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// serviceAt returns the Service to which a host name leads from a container in a namespace. If the name leads out of
// the cluster, it returns false. It calls known to learn whether a namespace, or a Service in it if name is not "", has
// been read: only that tells name.namespace and pod.service from a name of the Internet.
func serviceAt(host, namespace string, known func(namespace, name string) bool) (id string, ok bool) {
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if !dnsLabel.MatchString(l) {
			return "", false
		}
	}
	if n := len(labels); n > 3 && labels[n-2] == "cluster" && labels[n-1] == "local" {
		labels = labels[:n-2]
		if labels[len(labels)-1] != "svc" {
			return "", false
		}
	}
	name := labels[0]
	switch n := len(labels); {
	case n == 1:
	case n >= 3 && labels[n-1] == "svc":
		name, namespace = labels[n-3], labels[n-2]
	case n == 2 && (known(labels[1], "") || known(labels[1], name)):
		namespace = labels[1]
	case n == 2 && known(namespace, labels[1]):
		name = labels[1]
	default:
		return "", false
	}
	if !serviceName.MatchString(name) || name == "kubernetes" && namespace == "default" { // the manifests do not hold the API server
		return "", false
	}
	return "service:" + namespace + "/" + name, true
}
