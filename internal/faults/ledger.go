package faults

import (
	"crypto/sha256"
	"sync"

	"github.com/aimbrain/aimbrain-go/internal/calls"
)

// A Ledger is a server's account of its requests: how often each was received,
// whole or in part, and how often it was executed. An executed request arrived
// whole and signed, and met no fault before.
type Ledger struct {
	mu        sync.Mutex
	received  int
	executed  int
	forged    int
	bodies    map[[sha256.Size]byte]*Account
	endpoints map[string]*Account
}

// An Account is the account of one request body, or of one endpoint.
type Account struct {
	Endpoint   string
	User       int // of a body, or -1
	Received   int
	Executed   int
	Signatures map[string]int
}

func newLedger() *Ledger {
	return &Ledger{bodies: map[[sha256.Size]byte]*Account{}, endpoints: map[string]*Account{}}
}

// receive records a request. A body that did not arrive whole is nil.
func (l *Ledger) receive(endpoint string, body []byte, signature string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.received++
	l.endpoint(endpoint).Received++
	if body != nil {
		account := l.body(endpoint, body)
		account.Received++
		account.Signatures[signature]++
	}
}

func (l *Ledger) execute(endpoint string, body []byte, signed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !signed {
		l.forged++
		return
	}
	l.executed++
	l.endpoint(endpoint).Executed++
	l.body(endpoint, body).Executed++
}

func (l *Ledger) endpoint(endpoint string) *Account {
	if l.endpoints[endpoint] == nil {
		l.endpoints[endpoint] = &Account{Endpoint: endpoint}
	}
	return l.endpoints[endpoint]
}

func (l *Ledger) body(endpoint string, body []byte) *Account {
	sum := sha256.Sum256(append([]byte(endpoint+"\n"), body...))
	if l.bodies[sum] == nil {
		l.bodies[sum] = &Account{Endpoint: endpoint, User: calls.UserOf(body), Signatures: map[string]int{}}
	}
	return l.bodies[sum]
}

// Received returns how many requests arrived, whole or in part.
func (l *Ledger) Received() int { l.mu.Lock(); defer l.mu.Unlock(); return l.received }

// Executed returns how many requests were executed.
func (l *Ledger) Executed() int { l.mu.Lock(); defer l.mu.Unlock(); return l.executed }

// Forged returns how many requests had a wrong signature and would have been
// executed otherwise.
func (l *Ledger) Forged() int { l.mu.Lock(); defer l.mu.Unlock(); return l.forged }

// Accounts returns the accounts of all bodies.
func (l *Ledger) Accounts() []Account {
	l.mu.Lock()
	defer l.mu.Unlock()
	accounts := make([]Account, 0, len(l.bodies))
	for _, account := range l.bodies {
		accounts = append(accounts, *account)
	}
	return accounts
}
