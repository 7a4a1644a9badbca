package audit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aimbrain/aimbrain-go/relay/audit"
)

// A bank writes records, keeps a checkpoint elsewhere, and finds what was changed.
func Example() {
	folder, err := os.MkdirTemp("", "audit")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	key := []byte("32 random bytes from a key store")       // for the log
	users := []byte("32 other random bytes, which stay")    // for the pseudonyms
	log, err := audit.Open(filepath.Join(folder, "a"), key) // a folder for each process
	if err != nil {
		panic(err)
	}
	if err := log.Append(context.Background(), audit.Record{
		Kind:       audit.KindRequest,
		User:       audit.PseudonymOf(users, "customer 17"),
		Endpoint:   "/v1/face/auth",
		Status:     200,
		Scores:     []audit.Measure{{Name: "face", Value: 0.31}},
		Thresholds: []audit.Measure{{Name: "face", Value: 0.95}},
		Decision:   "rejected",
		Outcome:    "succeeded",
	}); err != nil {
		panic(err) // the record may not be durable: the user must not get in
	}
	checkpoint, err := json.Marshal(log.Checkpoint()) // to be kept elsewhere
	if err != nil {
		panic(err)
	}
	if err := log.Close(); err != nil {
		panic(err)
	}

	var kept audit.Checkpoint
	if err := json.Unmarshal(checkpoint, &kept); err != nil {
		panic(err)
	}
	verify := func() audit.Report {
		report, err := audit.Verify(context.Background(), filepath.Join(folder, "a"), [][]byte{key}, []audit.Checkpoint{kept})
		if err != nil {
			panic(err)
		}
		return report
	}
	report := verify()
	fmt.Println("intact:", report.OK(), "with", report.Chains[0].Last, "records")

	file := filepath.Join(folder, "a", report.Chains[0].Files[0].Name)
	text, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	if err := os.Truncate(file, int64(len(text)/2)); err != nil {
		panic(err)
	}
	for _, finding := range verify().Findings {
		fmt.Printf("%s: %s\n", finding.Kind, finding.Text)
	}
	// Output:
	// intact: true with 3 records
	// cut: the chain ends with record 1, and a checkpoint names record 2
}
