package redisstore_test

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/aimbrain/aimbrain-go/relay/redisstore"
)

// The store of a relay with several replicas, and what its server may lose.
func Example() {
	ctx := context.Background()
	options, err := redisstore.ParseURL(os.Getenv("REDIS_URL")) // rediss://user:password@host:6379/0
	if err != nil {
		log.Print(err)
		return
	}
	client := redis.NewClient(options)
	defer client.Close() //nolint:errcheck // nothing is lost

	store, err := redisstore.New(ctx, client, redisstore.WithPrefix("bank-live:"))
	if err != nil {
		log.Print(err) // with what to do about it, and without the password
		return
	}
	warnings, err := store.Check(ctx)
	if err != nil {
		log.Print(err)
		return
	}
	for _, w := range warnings {
		log.Print(w)
	}
	// relay.New(api, relay.WithStore(store), …)
}

// A store behind Sentinel, whose writes a replica has before they count.
func ExampleWithReplicas() {
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:            "relay",
		SentinelAddrs:         []string{"sentinel-1:26379", "sentinel-2:26379", "sentinel-3:26379"},
		Password:              os.Getenv("REDIS_PASSWORD"),
		ContextTimeoutEnabled: true,
		ReadTimeout:           3 * time.Second,
	})
	defer client.Close() //nolint:errcheck // nothing is lost
	store, err := redisstore.New(context.Background(), client, redisstore.WithReplicas(2, time.Second))
	if err != nil {
		log.Print(err)
		return
	}
	_ = store
}
