package diag_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema/diag"
)

func TestPositionText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want diag.Position
	}{
		{"", diag.Position{}},
		{"a.cue", diag.Position{File: "a.cue"}},
		{"a.cue:3", diag.Position{File: "a.cue", Line: 3}},
		{"dir/a.cue:3:14", diag.Position{File: "dir/a.cue", Line: 3, Column: 14}},
		{"C:/a.cue:3:14", diag.Position{File: "C:/a.cue", Line: 3, Column: 14}},
		{"odd:name:3:14", diag.Position{File: "odd:name", Line: 3, Column: 14}},
		{"a.cue:", diag.Position{File: "a.cue:"}},
		{"a.cue:x", diag.Position{File: "a.cue:x"}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			var got diag.Position
			if err := got.UnmarshalText([]byte(tt.text)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			if got.String() != tt.text || got.IsZero() != (tt.text == "") {
				t.Errorf("written as %q, zero %t", got, got.IsZero())
			}
		})
	}
}

func TestFindingString(t *testing.T) {
	t.Parallel()
	at := diag.Position{File: "a.cue", Line: 1, Column: 2}
	for want, f := range map[string]diag.Finding{
		`a.cue:1:2: error: link "l": cost is 0; raise it`: {Severity: diag.Error, Subject: `link "l"`, Message: "cost is 0", Fix: "raise it", At: at},
		"warning: odd": {Severity: diag.Warning, Message: "odd"},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestListSorted(t *testing.T) {
	t.Parallel()
	at := func(file string, line int) diag.Position { return diag.Position{File: file, Line: line, Column: 1} }
	first := diag.Finding{Severity: diag.Error, Code: "a", Message: "m", At: at("a.cue", 2)}
	list := diag.List{
		{Severity: diag.Warning, Code: "a", Message: "m", At: at("b.cue", 1)},
		{Severity: diag.Warning, Code: "b", Message: "m", At: at("a.cue", 10)},
		first,
		{Severity: diag.Error, Code: "a", Subject: "other", Message: "m", At: at("a.cue", 2)},
		first,
	}
	got := list.Sorted()
	var codes []string
	for _, f := range got {
		if f.Related == nil {
			t.Error("related is nil")
		}
		codes = append(codes, f.At.String()+" "+f.Subject)
	}
	want := []string{"a.cue:2:1 ", "a.cue:2:1 other", "a.cue:10:1 ", "b.cue:1:1 "}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if list[2].Related != nil {
		t.Error("the list itself was changed")
	}
}

func TestListCounts(t *testing.T) {
	t.Parallel()
	list := diag.List{{Severity: diag.Warning}, {Severity: diag.Error}, {Severity: diag.Warning}}
	if !list.HasErrors() || list[:1].HasErrors() || list.Count(diag.Warning) != 2 || list.Count(diag.Error) != 1 {
		t.Errorf("errors %t, warnings %d", list.HasErrors(), list.Count(diag.Warning))
	}
}

func TestFindingJSON(t *testing.T) {
	t.Parallel()
	list := diag.List{{Severity: diag.Error, Code: "c", Message: "m", At: diag.Position{File: "a.cue", Line: 1, Column: 2}}}.Sorted()
	got, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"severity":"error","code":"c","subject":"","message":"m","fix":"","at":"a.cue:1:2","related":[]}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("json (-want +got):\n%s", diff)
	}
}
