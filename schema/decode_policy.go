package schema

import (
	"cuelang.org/go/cue"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

func (d *decoder) policy(f field, into *policyDecl) {
	var unused diag.Position
	d.object(f, d.shapes.policy, func(f field) {
		switch f.name {
		case "unreachableSites":
			d.str(f, (*string)(&into.UnreachableSites), &unused)
		case "deletes":
			d.deletes(f, &into.Deletes)
		case "clean":
			d.boolean(f, &into.Clean, &into.CleanAt)
		case "signers":
			d.signers(f, into)
		case "planExpiry":
			d.str(f, &into.PlanExpiry, &into.expiryAt)
		case "ignore":
			d.ignores(f, into)
		}
	})
}

func (d *decoder) deletes(f field, into *network.DeleteLimits) {
	d.object(f, d.shapes.deletes, func(f field) {
		limit := map[string]*int{"sites": &into.Sites, "links": &into.Links, "objects": &into.Objects, "percent": &into.Percent}[f.name]
		var n int64
		var at diag.Position
		if d.integer(f, &n, &at); !at.IsZero() {
			*limit = int(n)
		}
	})
}

// signers reads the list of key files, with the place of each.
func (d *decoder) signers(f field, into *policyDecl) {
	into.SignersAt = f.at
	d.texts(f, "a list of files with keys", func(item field, file string) {
		into.Signers = append(into.Signers, file)
		into.signerAt = append(into.signerAt, item.at)
	})
}

// ignores reads the list of what drift leaves out.
func (d *decoder) ignores(f field, into *policyDecl) {
	list, err := f.value.List()
	if err != nil {
		d.mismatch(f, wantKind(cue.ListKind, "a list of rules"))
		return
	}
	for i := 0; list.Next(); i++ {
		item := d.item(f, i, list.Value())
		rule := ignoreDecl{Ignore: network.Ignore{DeclaredAt: item.at}}
		d.object(item, d.shapes.ignore, func(f field) {
			switch f.name {
			case "path":
				d.str(f, &rule.Path, &rule.pathAt)
			case "reason":
				d.str(f, &rule.Reason, &rule.reasonAt)
			}
		})
		into.Ignore, into.ignores = append(into.Ignore, rule.Ignore), append(into.ignores, rule)
	}
}

// texts visits the strings of a list. It reports whether all of it could be read, and
// stops at the first item that could not.
func (d *decoder) texts(f field, what string, visit func(item field, text string)) bool {
	list, err := f.value.List()
	if err != nil {
		d.mismatch(f, wantKind(cue.ListKind, what))
		return false
	}
	for i := 0; list.Next(); i++ {
		var text string
		var at diag.Position
		item := d.item(f, i, list.Value())
		if d.str(item, &text, &at); at.IsZero() {
			return false
		}
		visit(item, text)
	}
	return true
}
