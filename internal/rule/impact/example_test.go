package impact_test

import (
	"fmt"

	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

func ExampleState() {
	fmt.Println(impact.Operational, impact.AtRisk, impact.Degraded, impact.Down)
	// Output: OPERATIONAL AT_RISK DEGRADED DOWN
}
