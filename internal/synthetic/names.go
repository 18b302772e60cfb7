package synthetic

import (
	"fmt"
	"strconv"
	"strings"
)

var (
	capabilities = []string{
		"Online Ordering", "Card Payments", "Order Tracking", "Customer Accounts", "Product Catalogue", "Price Quotation", "Claims Handling",
		"Invoicing", "Loyalty Programme", "Returns", "Warehouse Picking", "Parcel Shipping", "Fraud Screening", "Credit Checks", "Payroll",
		"Recruiting", "Expense Reports", "Procurement", "Demand Planning", "Field Service", "Contact Centre", "Knowledge Base", "Newsletter",
		"Gift Cards", "Store Checkout", "Stock Counting", "Supplier Portal", "Contract Signing", "Tax Reporting", "Treasury",
	}
	markets  = []string{"", "Benelux", "DACH", "Nordics", "UK", "France", "Iberia", "Italy", "Poland", "Baltics", "Ireland", "Greece", "Turkey", "US East", "US West", "Canada", "Brazil", "Mexico", "Japan", "Korea", "India", "Australia", "Gulf", "South Africa"}
	channels = []string{"", "Retail", "Wholesale", "Partners", "Marketplace", "Staff"}

	subjects = []string{
		"payments", "orders", "customers", "catalogue", "pricing", "claims", "billing", "loyalty", "returns", "warehouse", "shipping", "fraud",
		"credit", "payroll", "recruiting", "expenses", "procurement", "planning", "dispatch", "support", "content", "campaigns", "vouchers",
		"checkout", "inventory", "suppliers", "contracts", "tax", "treasury", "search",
	}
	products = []string{
		"ledger", "router", "profile", "index", "rules", "engine", "portal", "archive", "feed", "mailer", "reports", "sync", "history",
		"limits", "forms", "media", "audit", "cache", "exports", "imports",
	}
)

func businessName(i int) string {
	words := []string{capabilities[i%len(capabilities)]}
	i /= len(capabilities)
	if market := markets[i%len(markets)]; market != "" {
		words = append(words, market)
	}
	i /= len(markets)
	if channel := channels[i%len(channels)]; channel != "" {
		words = append(words, channel)
	}
	if i /= len(channels); i > 0 {
		words = append(words, strconv.Itoa(i+1))
	}
	return strings.Join(words, " ")
}

// productName returns the name of the i-th application service: one in as many as there are subjects is of the same
// team.
func productName(i int) string {
	name := subjects[i%len(subjects)] + "-" + products[i/len(subjects)%len(products)]
	if round := i / len(subjects) / len(products); round > 0 {
		name += "-" + strconv.Itoa(round+1)
	}
	return name
}

// podName returns a name as Kubernetes makes them, from the workload and the copy.
func podName(application string, workload, pod int) string {
	return application + "-" + scramble(workload, 8) + "-" + scramble(pod, 6)
}

const letters = "bcdfghjklmnpqrstvwxz2456789"

// scramble returns a word for a number, a different one for each below 27 to the power of length: multiplication by a
// number that has no factor in common with 27 walks through all of them.
func scramble(i, length int) string {
	all := uint64(1)
	for range length {
		all *= uint64(len(letters))
	}
	n := uint64(i) * 2_654_435_761 % all
	word := make([]byte, length)
	for k := range word {
		word[k] = letters[n%uint64(len(letters))]
		n /= uint64(len(letters))
	}
	return string(word)
}

var platforms = []string{
	"Identity", "DNS", "Secrets", "Metrics", "Container Registry", "Databases", "Kubernetes", "Virtualization", "Network", "Data Centres", "Storage",
}

// makeTeams adds a team for each platform, and for each subject as many as products of that subject need.
func (m *maker) makeTeams(n int) {
	for _, p := range platforms {
		m.Teams = append(m.Teams, Team{p + " Operations", "Runs " + p + " for everyone."})
	}
	for i := range min(max(1, n/60_000), 20) {
		for _, s := range subjects {
			name := strings.ToUpper(s[:1]) + s[1:]
			if i > 0 {
				name += fmt.Sprintf(" %d", i+1)
			}
			m.Teams = append(m.Teams, Team{name, fmt.Sprintf("Builds and runs what is about %s.", s)})
		}
	}
}

func (m *maker) platformTeam(name string) int32 {
	for i, p := range platforms {
		if p == name {
			return int32(i)
		}
	}
	return -1
}

func (m *maker) productTeam(i int) int32 {
	return int32(len(platforms) + i%(len(m.Teams)-len(platforms)))
}
