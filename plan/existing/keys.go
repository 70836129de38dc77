package existing

import (
	"fairlead.dev/fairlead/schema/network"
)

// keys are what is known of names while links get theirs.
type keys struct {
	used map[string]bool
	// at has the keys of a site's links, made also the names that their Links get: a
	// link to an HA site makes two, with numbers.
	at, made map[named]bool
	index    index
}

// nameLinks gives each link its key: the one that Fairlead knows it by, or the Link's
// name where a description may have it and no other link wants it, or one made from
// the names of its ends. A key is never the name of another Link of the same site.
func (m *importer) nameLinks() {
	k := keys{map[string]bool{}, map[named]bool{}, map[named]bool{}, m.index}
	for _, own := range []bool{true, false} {
		wanted := map[string]int{}
		for _, l := range m.links {
			if l.own == own {
				wanted[l.wish]++
			}
		}
		for _, l := range m.links {
			if l.own == own && wanted[l.wish] == 1 && k.free(l, l.wish) {
				k.give(l, l.wish)
			}
		}
	}
	for _, l := range m.links {
		if l.described.Name == "" {
			ends := string(l.from.described.Name) + "-" + string(l.to.described.Name)
			k.give(l, freeKey(network.MaxLinkName, func(key string) bool { return k.free(l, key) }, ends, "link-"+ends))
		}
	}
}

// free reports whether a description may give the link this key.
func (k keys) free(l *link, key string) bool {
	here := func(name string) named { return named{l.from.at, name} }
	if !network.ValidLinkName(key) || k.used[key] || k.made[here(key)] {
		return false
	}
	for _, object := range l.objects(key) {
		if k.at[here(object)] || !l.own && k.index.links[here(object)] && !l.has(object) {
			return false
		}
	}
	return true
}

// objects are the names that Links of the link may get under a key.
func (l *link) objects(key string) []string {
	if l.to.described.HA {
		return network.LinkObjectNames(key)
	}
	return []string{key}
}

func (k keys) give(l *link, key string) {
	l.described.Name = network.LinkName(key)
	k.used[key] = true
	k.at[named{l.from.at, key}] = true
	for _, object := range l.objects(key) {
		k.made[named{l.from.at, object}] = true
	}
	if l.own && l.wish == key {
		l.described.Object = key // the inventory knows its Links
	}
}

// has reports whether one of the link's Links has the name.
func (l *link) has(object string) bool {
	for _, v := range l.views {
		if v.Name == object {
			return true
		}
	}
	return false
}
