package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// A Warning is a setting of a server with which a write that it has confirmed may be
// lost, or with which the store stops. Values and passwords are not part of it.
type Warning struct {
	// Server is the address of the server, "" for the only one.
	Server string
	// Setting is the name in redis.conf, such as "appendonly".
	Setting string
	// Message says what may happen.
	Message string
	// Remedy is what to do about it.
	Remedy string
}

// String returns the server, the setting, the message and the remedy.
func (w Warning) String() string {
	text := w.Setting + ": " + w.Message + " (" + w.Remedy + ")"
	if w.Server != "" {
		text = w.Server + ": " + text
	}
	return text
}

// Check reads the settings of the server, or of each master of a cluster. The error is
// [ErrEvicts] if maxmemory-policy is not noeviction, [ErrUnsupported] if the server is
// older than Redis 7.0 or a replica, or [ErrReplicas] if it has fewer replicas than
// [WithReplicas] requires. Until a later check succeeds, Load and Swap then return the
// error, too, and send nothing.
//
// The warnings are about settings with which a confirmed write may be lost. A relay
// works with them; read them once, after New.
//
// New runs Check, and Load and Swap do as [WithCheckInterval] says.
func (s *Store) Check(ctx context.Context) ([]Warning, error) {
	warnings, err := await(ctx, func() ([]Warning, error) { return s.inspect(ctx) })
	if err == nil {
		s.refused.Store(nil)
		return warnings, nil
	}
	e := s.failure(ctx, "Check", err)
	// A server that was not reached has not been refused: the call itself will fail.
	if errors.Is(e, ErrEvicts) || errors.Is(e, ErrUnsupported) || errors.Is(e, ErrReplicas) {
		s.refused.Store(e)
	}
	return nil, e
}

func (s *Store) inspect(ctx context.Context) ([]Warning, error) {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return s.inspectServer(ctx, "", s.client)
	}
	var (
		mu  sync.Mutex
		all []Warning
	)
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, client *redis.Client) error {
		warnings, err := s.inspectServer(ctx, client.Options().Addr, client)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, warnings...)
		return err
	})
	return all, err
}

// inspectServer reads INFO, which managed services allow too, and CONFIG, which some
// do not.
func (s *Store) inspectServer(ctx context.Context, address string, client redis.UniversalClient) ([]Warning, error) {
	text, err := client.Info(ctx).Result()
	if err != nil {
		return nil, err
	}
	about := parse(text)
	at := ""
	if address != "" {
		at = " at " + address
	}
	if major, _, _ := strings.Cut(about["redis_version"], "."); number(major) < 7 {
		return nil, fail(ErrUnsupported, "the version"+at+" is older than Redis 7.0", "upgrade the server: older ones run scripts on replicas and while the memory is full")
	}
	if about["role"] != "master" {
		return nil, fail(ErrUnsupported, "the server"+at+" is a replica", "connect to the master, or through Sentinel: a replica may be behind")
	}
	policy, known := about["maxmemory_policy"]
	if !known {
		return nil, fail(ErrEvicts, "the server"+at+" does not report maxmemory-policy", "allow the user INFO")
	}
	if policy != "noeviction" {
		return nil, fail(ErrEvicts, "maxmemory-policy"+at+" is "+settingName(policy), "set it to noeviction: an evicted record is a grant that can be redeemed again and a count of failures that begins at 0")
	}
	replicas := number(about["connected_slaves"])
	if replicas < s.replicas {
		return nil, fail(ErrReplicas, fmt.Sprintf("the server%s has %d connected replicas, %d are required", at, replicas, s.replicas), "connect them, or lower WithReplicas")
	}

	var warnings []Warning
	warn := func(setting, message, remedy string) {
		warnings = append(warnings, Warning{Server: address, Setting: setting, Message: message, Remedy: remedy})
	}
	if about["aof_enabled"] != "1" {
		warn("appendonly", "a restart loses writes that were confirmed", "set appendonly yes")
	} else {
		if status := about["aof_last_write_status"]; status != "ok" {
			warn("appendonly", "the last write to the file failed", "see the server's log and its disk")
		}
		switch value, err := client.ConfigGet(ctx, "appendfsync").Result(); {
		case err != nil || value["appendfsync"] == "":
			warn("appendfsync", "the server does not show it; a power failure may lose confirmed writes of a second", "see that it is always")
		case value["appendfsync"] != "always":
			warn("appendfsync", "a power failure loses confirmed writes of a second or more", "set appendfsync always")
		}
	}
	if about["maxmemory"] == "0" {
		warn("maxmemory", "there is no limit: the system may end the server when its memory is full", "set maxmemory below the memory of the machine")
	}
	if replicas > 0 && s.replicas == 0 {
		warn("replicas", "a fail-over loses confirmed writes that the new master did not receive", "use WithReplicas")
	}
	if replicas > 0 && about["min_slaves_good_slaves"] == "" {
		warn("min-replicas-to-write", "a master that is cut off from its replicas still confirms writes, which are lost after a fail-over", "set min-replicas-to-write 1 and min-replicas-max-lag")
	}
	return warnings, nil
}

// parse reads the lines of INFO.
func parse(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			fields[name] = value
		}
	}
	return fields
}

// number returns a decimal number, 0 for another text.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// settingName returns a name of a setting if it looks like one.
func settingName(name string) string {
	for _, r := range name {
		if r != '-' && (r < 'a' || r > 'z') {
			return "unknown"
		}
	}
	return name[:min(len(name), 32)]
}
