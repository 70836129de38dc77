package apply

import (
	"encoding/json"

	"fairlead.dev/fairlead/schema/network"
)

// AnnotationDeletes, on a network's Lease, holds as JSON the limits of what one plan may
// delete, as they were described when all was last as declared. A change that raises them
// is judged by these.
const AnnotationDeletes = "fairlead.dev/deletes"

// notedLimits are network.DeleteLimits as a Lease has them.
type notedLimits struct {
	Sites   int `json:"sites"`
	Links   int `json:"links"`
	Objects int `json:"objects"`
	Percent int `json:"percent"`
}

// LimitsOf gives the limits that a Lease notes; nil where it says nothing that can be read.
func LimitsOf(l Lease) *network.DeleteLimits {
	var noted notedLimits
	text, known := l.Annotations[AnnotationDeletes]
	if !known || json.Unmarshal([]byte(text), &noted) != nil || min(noted.Sites, noted.Links, noted.Objects, noted.Percent) < 0 {
		return nil
	}
	out := network.DeleteLimits(noted)
	return &out
}

// noteLimits is what LimitsOf reads.
func noteLimits(limits network.DeleteLimits) string {
	data, err := json.Marshal(notedLimits(limits))
	if err != nil { // numbers can always be marshalled
		panic("apply: " + err.Error())
	}
	return string(data)
}

// StricterLimits are the stricter of two limits, either of which may be nil.
func StricterLimits(a, b *network.DeleteLimits) *network.DeleteLimits {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	both := a.Stricter(*b)
	return &both
}
