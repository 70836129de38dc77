package plan

import (
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// Labels and annotations on every object that Fairlead writes or takes over.
const (
	LabelManagedBy = "app.kubernetes.io/managed-by"
	LabelNetwork   = "fairlead.dev/network"
	LabelLink      = "fairlead.dev/link"
	LabelSite      = "fairlead.dev/site"
	LabelProxy     = "fairlead.dev/proxy"
	LabelObject    = "fairlead.dev/object"
	// AnnotationPrefix starts the keys of all annotations of Fairlead's.
	AnnotationPrefix = "fairlead.dev/"
	AnnotationCommit = AnnotationPrefix + "commit"
	// DirtySuffix follows the commit in the annotation where what was applied had changes
	// that the commit lacks.
	DirtySuffix      = "-dirty"
	AnnotationDigest = "fairlead.dev/last-applied"
	// AnnotationProtect, "true" on a Site, keeps it from being deleted also when its
	// inventory is lost.
	AnnotationProtect = "fairlead.dev/protect"
	// What a Link notes of itself, see Note.
	AnnotationVia      = "fairlead.dev/via"
	AnnotationRotation = "fairlead.dev/rotation"
	AnnotationAdopted  = "fairlead.dev/adopted"
	// AnnotationCost and AnnotationEndpoints, on a Link, are what the description asked
	// for when it was written last, whatever was left as it was.
	AnnotationCost      = "fairlead.dev/cost"
	AnnotationEndpoints = "fairlead.dev/endpoints"
	// AnnotationExpires, on a link's Secret, is when its certificate ends, on a grant until
	// when it may be redeemed: RFC 3339, UTC.
	AnnotationExpires = "fairlead.dev/expires"
	// AnnotationRequest tells which creation made an object: a random text, by which a
	// creation whose answer was lost knows its own. It is never compared otherwise.
	AnnotationRequest = "fairlead.dev/request"
	// AnnotationTouch counts how often a Link that the controller had not configured yet
	// was touched again. Nothing compares it.
	AnnotationTouch = "fairlead.dev/touch"
	// AnnotationUnanswered starts the keys of annotations of a connecting Site, which end with
	// the name of a link: the tokens of the link that were taken away before they told what
	// came of them, by name. A Link and a Secret of such a name may come at any time.
	AnnotationUnanswered = "unanswered.fairlead.dev/"
	// AnnotationRun is the run that wrote the object last. Nothing compares it.
	AnnotationRun = "fairlead.dev/run"
	// ManagedBy is the value of LabelManagedBy, and the field manager's name.
	ManagedBy = "fairlead"
)

// longestUnanswered bounds the tokens that a Site notes of one link.
const longestUnanswered = 50

// WithUnanswered adds the name of a token to the value of an AnnotationUnanswered; of too
// many the oldest go.
func WithUnanswered(value, token string) string {
	names := strings.Fields(value)
	if !slices.Contains(names, token) {
		names = append(names, token)
	}
	return strings.Join(names[max(0, len(names)-longestUnanswered):], " ")
}

// Unanswered are the names of the tokens that a Site's annotations note, sorted: those that
// were taken away before it was known what came of them.
func Unanswered(annotations map[string]string) (names []string) {
	for key, value := range annotations {
		if strings.HasPrefix(key, AnnotationUnanswered) {
			names = append(names, strings.Fields(value)...)
		}
	}
	slices.Sort(names)
	return names
}

// GrantName names the AccessGrant of one attempt of a link. It has the network's
// name in it because networks may meet in a listening site's namespace.
func GrantName(net string, link network.LinkName, attempt int) string {
	return fmt.Sprintf("%s-%s-%d", net, link, attempt)
}

// Marked reports whether one of an object's annotations is Fairlead's.
func Marked(annotations map[string]string) bool {
	for key := range annotations {
		if strings.HasPrefix(key, AnnotationPrefix) {
			return true
		}
	}
	return false
}

// Owned reports whether labels are those of a network's own objects.
func Owned(labels map[string]string, net string) bool {
	return labels[LabelManagedBy] == ManagedBy && labels[LabelNetwork] == net
}
