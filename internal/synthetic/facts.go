package synthetic

import (
	"fmt"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

// Attributes returns the attributes of the i-th CI, which its class has.
func (e *Estate) Attributes(i int) map[string]any {
	switch e.CIs[i].Class {
	case "server":
		return map[string]any{
			"vendor": [...]string{"Dell", "HPE", "Lenovo"}[i%3], "serialNumber": fmt.Sprintf("SRV%08d", i), "os": "Debian 12",
			"cpuCores": float64(int(32) << (i % 3)), "memoryGiB": float64(int(256) << (i % 3)), "ipAddress": address(10, i),
		}
	case "virtual_machine":
		return map[string]any{
			"os": [...]string{"Debian 12", "Ubuntu 24.04", "RHEL 9", "Windows Server 2022"}[i%4], "cpuCores": float64(int(2) << (i % 4)),
			"memoryGiB": float64(int(4) << (i % 4)), "ipAddress": address(10, i),
		}
	case "pod", "workload":
		return map[string]any{"namespace": "default"}
	case "database":
		return map[string]any{"engine": "PostgreSQL", "version": [...]string{"15", "16", "17"}[i%3], "port": float64(5432)}
	case "application", "middleware", "web_server":
		return map[string]any{"language": [...]string{"Java", "Go", "Python", "TypeScript", "C#"}[i%5], "version": fmt.Sprintf("%d.%d", 1+i%7, i%13)}
	case "switch", "load_balancer", "pdu", "ups", "storage":
		return map[string]any{"vendor": [...]string{"Cisco", "Arista", "Schneider", "NetApp"}[i%4], "serialNumber": fmt.Sprintf("EQP%08d", i)}
	case "volume":
		return map[string]any{"sizeGiB": float64(int(50) << (i % 5))}
	}
	return map[string]any{}
}

// address returns an address in the private range, a different one for each i below 2 to the power of 24.
func address(first, i int) string {
	return fmt.Sprintf("%d.%d.%d.%d", first, i>>16&255, i>>8&255, i&255)
}

// Labels returns the labels of the i-th CI.
func (e *Estate) Labels(i int) map[string]string {
	if site := e.CIs[i].Site; site != "" {
		return map[string]string{"site": site}
	}
	return map[string]string{}
}

// ServiceKind returns the kind of service that the CI's class stands for, or "" if it is not a class of services.
func (c *CI) ServiceKind() domain.ServiceKind {
	switch c.Class {
	case "business_service":
		return domain.BusinessService
	case "application_service":
		return domain.ApplicationService
	case "technical_service":
		return domain.TechnicalService
	}
	return ""
}
