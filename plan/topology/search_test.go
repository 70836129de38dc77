package topology

import (
	"sync/atomic"
	"testing"
)

func TestEach(t *testing.T) {
	t.Parallel()
	done := make([]atomic.Int32, 1000)
	each(len(done), func(worker, i int) {
		if worker < 0 || worker >= workers() {
			t.Errorf("worker %d", worker)
		}
		done[i].Add(1)
	})
	for i := range done {
		if n := done[i].Load(); n != 1 {
			t.Errorf("%d was done %d times", i, n)
		}
	}
	each(0, func(int, int) { t.Error("there is nothing to do") })
}

func TestEachPanicsForItsCaller(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() != "seven" {
			t.Error("the panic is lost")
		}
	}()
	each(100, func(_, i int) {
		if i == 7 {
			panic("seven")
		}
	})
}
