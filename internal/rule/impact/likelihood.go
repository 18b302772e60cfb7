package impact

import "math"

// likelihood says how well a set of failures accounts for what was seen. The model: a CI that is affected stays silent
// with a chance that is not known but about Silence, the same for all CIs of one incident; of all CIs that could show
// something, as many show noise as make up the share Noise of the symptoms; an affected CI is called healthy with the
// chance FalseHealth; each CI fails by itself with the chance 1/CIs, a service with a tenth of that, and one that has
// failed for sure with 1. The result is a logarithm, 0 for "nothing failed, all is noise":
//
//	score = −k·ln ν + ln B(α+u, β+k)/B(α, β) + h·ln FalseHealth − f·ln n − s·ln 10
//
// with k symptoms explained, u affected CIs that are silent, h that are called healthy, f failures beside those that
// are known, s services among them, n CIs, and ν = Noise·symptoms/n. CIs that are not well by what is known are not
// among the silent: they are so whatever else failed. The beta-binomial term is what remains when the chance of silence
// is integrated out over its prior Beta(α, β) of mean Silence, worth priorWeight observations (Gelman et al., Bayesian
// Data Analysis, 2.4). Without it a data centre of half a million CIs, of which only the services are watched, could
// never be the cause.
type likelihood struct {
	explains    float64 // for each symptom
	contradicts float64 // for each CI called healthy
	fails       float64 // for each failure that is not known
	alpha, beta float64
	prior       float64 // ln B(alpha, beta)
}

const priorWeight = 10

// rarity is the logarithm of how much seldomer a service fails by itself than another CI: most of what it suffers comes
// from what it needs.
var rarity = math.Log(10)

func (o RootCauseOptions) likelihood(symptoms, observable, cis int) likelihood {
	noise := min(o.Noise*float64(symptoms)/float64(max(observable, 1)), (1-o.Silence)/2)
	l := likelihood{
		explains: -math.Log(noise), contradicts: math.Log(o.FalseHealth), fails: -math.Log(float64(max(cis, 2))),
		alpha: priorWeight * o.Silence, beta: priorWeight * (1 - o.Silence),
	}
	l.prior = logBeta(l.alpha, l.beta)
	return l
}

// score adds the logarithm of the chance that the failures happen to what they account for.
func (l likelihood) score(explained, silent, contradicted int, failures float64) float64 {
	return float64(explained)*l.explains + logBeta(l.alpha+float64(silent), l.beta+float64(explained)) - l.prior +
		float64(contradicted)*l.contradicts + failures
}

// best returns the highest score of failures that explain at most so many symptoms, but one, and leave at least so many
// CIs silent. The score is convex in the symptoms explained, and falls with the silent.
func (l likelihood) best(explained, silent int, failures float64) float64 {
	return max(l.score(1, silent, 0, failures), l.score(explained, silent, 0, failures))
}

// patienceFor returns how many silent CIs failures may leave, explaining at most so many symptoms, before their score
// must fall below floor.
func (l likelihood) patienceFor(explained int, failures, floor float64) int {
	if l.best(explained, math.MaxInt32, failures) >= floor {
		return math.MaxInt32
	}
	low, high := -1, math.MaxInt32 // below floor at high, not at low
	for high-low > 1 {
		if middle := low + (high-low)/2; l.best(explained, middle, failures) >= floor {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

func logBeta(a, b float64) float64 {
	x, _ := math.Lgamma(a)
	y, _ := math.Lgamma(b)
	z, _ := math.Lgamma(a + b)
	return x + y - z
}
