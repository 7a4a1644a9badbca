package audit

// A Checkpoint is a record that is durable: its chain, its sequence number and its
// hash. Kept elsewhere, it shows [Verify] that the chain had this record.
type Checkpoint struct {
	Chain    string `json:"chain"` // 32 hexadecimal digits
	Sequence uint64 `json:"sequence"`
	Hash     string `json:"hash"` // 64 hexadecimal digits
	// Removed says that the records up to this one, and the chains before it, were
	// removed on purpose. Without it a chain must begin with its first record. The
	// other checkpoints of chains that were removed as a whole must not be given.
	Removed bool `json:"removed,omitempty"`
}
