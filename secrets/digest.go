package secrets

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
)

// Digester compares secrets without showing them: equal values have equal sums,
// within one Digester. Its key is random, is never given out and dies with the
// run, so a sum says nothing to anyone afterwards and must not be stored. The zero
// Digester is ready for use, also from several goroutines; do not copy it.
type Digester struct {
	once sync.Once
	key  Value
}

// Sum gives "hmac-sha256:" and 64 hexadecimal digits.
func (d *Digester) Sum(v Value) string {
	d.once.Do(d.makeKey)
	mac := hmac.New(sha256.New, []byte(d.key.Reveal()))
	mac.Write([]byte(v.Reveal()))
	return "hmac-sha256:" + hex.EncodeToString(mac.Sum(nil))
}

func (d *Digester) makeKey() {
	var key [sha256.Size]byte
	_, _ = rand.Read(key[:]) // never fails, see crypto/rand
	d.key = New(string(key[:]))
}

// Format gives the mask for every verb.
func (d *Digester) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Mask)) }
