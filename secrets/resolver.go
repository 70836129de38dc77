package secrets

import "context"

// Resolver gives the secret that a reference names. It may be used from several
// goroutines. It writes nothing to disk, honours ctx, and its errors are *Error,
// without any content of the source. A secret is never empty and at most MaxSize
// bytes: an empty one is ErrInvalid, since it is a mistake far more often than
// what someone wants (an unset variable of a pipeline arrives as an empty one).
type Resolver interface {
	Resolve(ctx context.Context, ref Ref) (Value, error)
}

// Mux sends each reference to the resolver of its source. It is read only once in
// use.
type Mux map[Source]Resolver

// Resolve implements Resolver. A source without a resolver is ErrUnavailable.
// Errors of a resolver that are not an *Error lose their text, see Sanitized.
func (m Mux) Resolve(ctx context.Context, ref Ref) (Value, error) {
	if err := Ended(ctx, ref); err != nil {
		return Value{}, err
	}
	source, err := ref.Source()
	if err != nil {
		return Value{}, err
	}
	resolver := m[source]
	if resolver == nil {
		return Value{}, Unavailable(ref, "cannot be read by this command", "use another source, such as env or file")
	}
	value, err := resolver.Resolve(ctx, ref)
	if err != nil {
		return Value{}, Sanitized(ref, err)
	}
	return value, nil
}
