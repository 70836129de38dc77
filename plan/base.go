package plan

// Base is the revision that a plan is compared with, beside the clusters or in their
// stead.
type Base struct {
	// Source is the description at the base revision.
	Source Source `json:"source"`
	// Alone is true where no cluster was read: the plan then leads from the network as
	// the base describes it, taken as applied, to the one of the head. It cannot be
	// applied.
	Alone bool `json:"alone"`
	// Origins tell, by action ID, where an action comes from. Alone they are all
	// OriginChange.
	Origins map[string]Origin `json:"origins"`
	// Spared are actions that are pending for the base and needless with the change,
	// sorted by ID; never nil.
	Spared []Spared `json:"spared"`
}

// Origin tells whether an action of a plan with a base is due to the change from base
// to head.
type Origin string

// The origins of an action.
const (
	// OriginChange is that of an action which only the change asks for.
	OriginChange Origin = "change"
	// OriginAnyway is that of an action which is pending, or drift, without the change.
	OriginAnyway Origin = "anyway"
	// OriginBoth is that of an action which is pending without the change, and another one
	// with it.
	OriginBoth Origin = "both"
)

// Spared is an action that the base would take and the head does not.
type Spared struct {
	ID   string `json:"id"`
	Verb Verb   `json:"verb"`
	Why  string `json:"why"`
}

// OriginOf tells where an action comes from; empty in a plan without a base.
func (p Plan) OriginOf(id string) Origin {
	if p.Base == nil {
		return ""
	}
	return p.Base.Origins[id]
}
