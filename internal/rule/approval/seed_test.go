package approval_test

import _ "github.com/linchpin-cmdb/linchpin/internal/propertytest" // the gate draws the same cases
