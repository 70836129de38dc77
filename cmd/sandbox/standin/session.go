package standin

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"
)

// handshakeTimeout bounds a dial and the exchange of greetings.
const handshakeTimeout = 5 * time.Second

// gossipDelay gathers changes before they are passed on, longer in a large
// network, where each of them goes everywhere.
func gossipDelay(sites int) time.Duration {
	return time.Duration(20+10*sites) * time.Millisecond
}

// greeting is the first message of either side of a connection.
type greeting struct {
	Site siteInfo `json:"site"`
	Role string   `json:"role"`
	Link string   `json:"link,omitempty"`
	Cost int64    `json:"cost,omitempty"`
}

// session is one connection between two routers after the greetings.
type session struct {
	conn net.Conn
	in   *bufio.Reader
	peer greeting
	via  portKey       // the listening port, on the listening side
	done chan struct{} // closed when the connection is gone
	once sync.Once
}

// greet exchanges greetings; the side that dialled speaks first.
func greet(conn net.Conn, own greeting, first bool) (*session, error) {
	s := &session{conn: conn, in: bufio.NewReader(conn), done: make(chan struct{})}
	if err := conn.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return nil, err
	}
	if first {
		if err := s.send(own); err != nil {
			return nil, err
		}
	}
	if err := s.receive(&s.peer); err != nil {
		return nil, err
	}
	if !first {
		if err := s.send(own); err != nil {
			return nil, err
		}
	}
	return s, conn.SetDeadline(time.Time{})
}

func (s *session) send(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = s.conn.Write(append(text, '\n'))
	return err
}

func (s *session) receive(v any) error {
	line, err := s.in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("peer: %w", err)
	}
	return json.Unmarshal(line, v)
}

func (s *session) close() {
	s.once.Do(func() {
		close(s.done)
		_ = s.conn.Close()
	})
}

// serve passes the picture of the network both ways until the connection or
// ctx ends.
func (s *session) serve(ctx context.Context, wg *sync.WaitGroup, db *netdb) {
	stop := context.AfterFunc(ctx, s.close)
	wg.Go(func() { s.gossip(db) })
	for {
		var records []record
		if s.receive(&records) != nil {
			break
		}
		db.merge(records)
	}
	stop()
	s.close()
}

// gossip tells the peer what changes.
func (s *session) gossip(db *netdb) {
	sent := 0
	for {
		records, count, changed := db.since(sent)
		if len(records) > 0 && s.send(records) != nil {
			s.close()
			return
		}
		sent = count
		select {
		case <-s.done:
			return
		case <-changed:
		}
		pause := time.NewTimer(gossipDelay(db.size()))
		select {
		case <-s.done:
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}
