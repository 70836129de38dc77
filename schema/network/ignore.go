package network

import (
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
)

// Ignore is a rule of a policy: what it covers may differ on the clusters from what was
// last applied, and is left as it is.
type Ignore struct {
	// Path says what is covered, see ParseIgnorePath.
	Path string
	// Reason says why, in the user's words; never empty.
	Reason     string
	DeclaredAt diag.Position
}

// IgnorePath is the path of a rule, taken apart. In each part "*" stands for any
// characters, also none.
type IgnorePath struct {
	// Kind is IgnoreSite, IgnoreLink or IgnoreObject.
	Kind string
	// Site and ObjectKind are set for an object of an overlay.
	Site, ObjectKind string
	// Name is that of the site, link or object.
	Name string
	// Field is a field's path as a plan shows it, or a fact's code; empty for all of an
	// object, its absence included.
	Field string
}

// The kinds of things that rules cover.
const (
	IgnoreSite   = "site"
	IgnoreLink   = "link"
	IgnoreObject = "object"
)

// LinkFields are the fields of links that rules may cover; a link is made anew where
// anything else of it moves.
var LinkFields = []string{"cost", "endpoints"}

// LinkFacts and SiteFacts are the codes of the facts about how a link or a site runs
// that rules may cover; package plan says what they mean.
var (
	LinkFacts = []string{
		"ca-mismatch", "certificate-expired", "certificate-expiring", "endpoint-moved", "grant-left-open",
		"leftover", "link-cost", "link-down", "link-unknown", "unmanaged-link",
	}
	SiteFacts = []string{"inventory-lost", "site-not-ready", "unmanaged-grant", "unmanaged-site"}
)

// HeldFields are the fields of sites that no rule covers: links hang on them.
var HeldFields = []string{"defaultIssuer", "edge", "ha", "linkAccess"}

// The fields of sites that rules may cover: SiteField itself, and those of SiteMaps by key.
const SiteField = "serviceAccount"

// SiteMaps are the maps of a Site, each with the dot before the key.
var SiteMaps = []string{"settings.", "metadata.labels.", "metadata.annotations."}

// ParseIgnorePath reads "site/NAME/FIELD", "link/NAME/FIELD", or
// "object/SITE/KIND/NAME/FIELD", of which FIELD may be left out. Slashes end a part, but
// FIELD is all the rest. The error says what is wrong and not which path.
func ParseIgnorePath(text string) (IgnorePath, error) {
	kind, rest, _ := strings.Cut(text, "/")
	p := IgnorePath{Kind: kind}
	switch kind {
	case IgnoreSite, IgnoreLink:
		p.Name, p.Field, _ = strings.Cut(rest, "/")
		if p.Name == "" || p.Field == "" {
			return p, fmt.Errorf("write %s/NAME/FIELD; a %s is never ignored as a whole", kind, kind)
		}
	case IgnoreObject:
		parts := append(strings.SplitN(rest, "/", 4), "", "", "")
		p.Site, p.ObjectKind, p.Name, p.Field = parts[0], parts[1], parts[2], parts[3]
		if p.Site == "" || p.ObjectKind == "" || p.Name == "" || p.Field == "" && strings.HasSuffix(text, "/") {
			return p, fmt.Errorf("write object/SITE/KIND/NAME/FIELD, or object/SITE/KIND/NAME for all of it")
		}
	case "proxy":
		return p, fmt.Errorf("what changed in a proxy's Secret cannot be ignored: links go through it")
	default:
		return p, fmt.Errorf("begin with site/, link/ or object/")
	}
	return p, p.check()
}

// check refuses a field that no thing of the kind has, or that is never ignored. What
// objects have cannot be told.
func (p IgnorePath) check() error {
	some := func(list []string) bool {
		return slices.ContainsFunc(list, func(name string) bool { return matches(p.Field, name) })
	}
	keyed := func() bool {
		return slices.ContainsFunc(SiteMaps, func(prefix string) bool { return matchesWithin(p.Field, prefix) })
	}
	switch {
	case p.Kind == IgnoreLink && !some(LinkFields) && !some(LinkFacts):
		return fmt.Errorf("of a link %s can be ignored", strings.Join(slices.Concat(LinkFields, LinkFacts), ", "))
	case p.Kind != IgnoreSite || matches(p.Field, SiteField) || some(SiteFacts) || keyed():
		return nil
	case some(HeldFields):
		return fmt.Errorf("%s cannot be ignored: links hang on it", p.Field)
	}
	return fmt.Errorf("of a site %s, and with a key %s can be ignored",
		strings.Join(slices.Concat([]string{SiteField}, SiteFacts), ", "), strings.Join(SiteMaps, "KEY, ")+"KEY")
}

// matchesWithin reports whether a pattern matches any text that begins with a prefix and
// is longer.
func matchesWithin(pattern, prefix string) bool {
	first, _, wild := strings.Cut(pattern, "*")
	if !wild {
		return strings.HasPrefix(pattern, prefix) && pattern != prefix
	}
	return strings.HasPrefix(first, prefix) || strings.HasPrefix(prefix, first)
}

// CoversSite reports whether the rule covers a field of, or a fact about, a site.
func (p IgnorePath) CoversSite(site SiteName, field string) bool {
	return p.Kind == IgnoreSite && matches(p.Name, string(site)) && matches(p.Field, field) && !slices.Contains(HeldFields, field)
}

// CoversLink reports whether the rule covers a field of, or a fact about, a link.
func (p IgnorePath) CoversLink(link LinkName, field string) bool {
	known := slices.Contains(LinkFields, field) || slices.Contains(LinkFacts, field)
	return p.Kind == IgnoreLink && known && matches(p.Name, string(link)) && matches(p.Field, field)
}

// CoversObject reports whether the rule covers a field of an overlay's object, or, for
// an empty field, all of it. groupKind is as kubectl has it, "Deployment.apps"; a rule may
// leave the group out.
func (p IgnorePath) CoversObject(site SiteName, groupKind, name, field string) bool {
	kind, _, _ := strings.Cut(groupKind, ".")
	if p.Kind != IgnoreObject || !matches(p.Site, string(site)) || !matches(p.Name, name) ||
		!matches(p.ObjectKind, kind) && !matches(p.ObjectKind, groupKind) {
		return false
	}
	return p.Field == "" || field != "" && matches(p.Field, field)
}

// CoversFact reports whether the rule covers a fact about a site.
func (p IgnorePath) CoversFact() bool {
	return p.Kind == IgnoreSite && slices.ContainsFunc(SiteFacts, func(fact string) bool { return matches(p.Field, fact) })
}

// matches compares a text with a pattern in which "*" stands for any characters.
func matches(pattern, text string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	parts := strings.Split(rest, "*")
	last := parts[len(parts)-1]
	for _, part := range parts[:len(parts)-1] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, last)
}

// Names reports whether the rule's Name fits the name of a site, link or object.
func (p IgnorePath) Names(name string) bool { return matches(p.Name, name) }

// OfSite reports whether the rule's Site fits, for one that covers objects.
func (p IgnorePath) OfSite(site SiteName) bool { return matches(p.Site, string(site)) }

// CoversForeign reports whether the rule covers what no description names: Links made by
// hand, and what is left of links that are gone.
func (p IgnorePath) CoversForeign() bool {
	return p.Kind == IgnoreLink && slices.ContainsFunc([]string{"unmanaged-link", "leftover", "grant-left-open"}, func(fact string) bool {
		return matches(p.Field, fact)
	})
}
