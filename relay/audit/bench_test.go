package audit

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkAppend measures durable records, with fsync on the disk of the temporary
// folder. The time of an operation is that of all goroutines together: with 64 in
// flight it shows what the shared fsync saves.
func BenchmarkAppend(b *testing.B) {
	for _, inFlight := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("inFlight=%d", inFlight), func(b *testing.B) {
			folder := b.TempDir()
			var syncs atomic.Int64
			d := realDisk()
			create := d.create
			d.create = func(path string) (file, error) {
				f, err := create(path)
				return countedFile{f, &syncs}, err
			}
			l, err := open(folder, testKey(), d)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			for range inFlight {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if err := l.Append(b.Context(), request(1)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(b.N)/float64(syncs.Load()), "records/fsync")
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
			requireIntact(b, folder, l.Checkpoint())
		})
	}
}

type countedFile struct {
	file
	syncs *atomic.Int64
}

func (f countedFile) Sync() error {
	f.syncs.Add(1)
	return f.file.Sync()
}

// BenchmarkVerify measures the check of a trail.
func BenchmarkVerify(b *testing.B) {
	folder := b.TempDir()
	l := mustOpen(b, folder)
	const n = 5000
	for i := range n {
		if err := l.Add(request(i)); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		requireIntact(b, folder)
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
