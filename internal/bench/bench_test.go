package bench

import "testing"

func BenchmarkPrepare(b *testing.B) {
	for name, photos := range map[string][][]byte{"30kB": {Photo(30_000)}, "500kB": {Photo(500_000)}, "3x500kB": {Photo(499_000), Photo(499_000), Photo(499_000)}} {
		for what, op := range map[string]Op{"ours": Prepare(photos...), "floor": Floor(photos...), "strings": PlainStrings(photos...), "bytes": PlainBytes(photos...), "buffer": PlainBuffer(photos...)} {
			b.Run(name+"/"+what, func(b *testing.B) { run(b, op) })
		}
	}
}

func BenchmarkPrepareEncoded(b *testing.B) {
	run(b, PrepareEncoded(Photo(500_000)))
}

func BenchmarkForward(b *testing.B) {
	request := Request(Photo(500_000))
	b.Run("ours", func(b *testing.B) { run(b, Forward(request)) })
	b.Run("floor", func(b *testing.B) { run(b, ForwardFloor(request)) })
}

func BenchmarkScan(b *testing.B) {
	request := Request(Photo(500_000))
	b.Run("ours", func(b *testing.B) { run(b, Scan(request)) })
	b.Run("json", func(b *testing.B) { run(b, ScanPlain(request)) })
}

func BenchmarkSetMember(b *testing.B) {
	request := Request(Photo(500_000))
	b.Run("ours", func(b *testing.B) { run(b, SetMember(request)) })
	b.Run("floor", func(b *testing.B) { run(b, SetMemberFloor(request)) })
}

func BenchmarkDecode(b *testing.B) {
	b.Run("ours", func(b *testing.B) { run(b, Decode()) })
	b.Run("json", func(b *testing.B) { run(b, DecodePlain()) })
}

func run(b *testing.B, op Op) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if err := op(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoopback(b *testing.B) {
	urls := make(chan string, 1)
	go func() { _ = Serve(b.Context(), nil, func(url string) { urls <- url }) }()
	url := <-urls
	client, err := Client(url)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	photo := Photo(500_000)
	b.Run("token/ours", func(b *testing.B) { run(b, Token(client)) })
	b.Run("token/bare", func(b *testing.B) { run(b, BareToken(url)) })
	b.Run("500kB/ours", func(b *testing.B) { run(b, Enroll(client, photo)) })
	b.Run("500kB/bare", func(b *testing.B) { run(b, BareEnroll(url, photo)) })
	b.Run("500kB/bare and encoded", func(b *testing.B) { run(b, BareEncodeEnroll(url, photo)) })
}
