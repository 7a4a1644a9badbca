package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func noEnv(string) string { return "" }

func TestRun_AcceptsTheUserAndRefusesTheImpostor(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, noEnv, &out))
	calls := regexp.MustCompile(`(?m)^\[(/v1/[a-z/]+)\]\[200\]\[\d+\.\d\ds\] \{.*\}$`).FindAllStringSubmatch(out.String(), -1)
	var endpoints []string
	for _, call := range calls {
		endpoints = append(endpoints, call[1])
	}
	assert.Equal(t, []string{"/v1/sessions", "/v1/face/enroll", "/v1/sessions", "/v1/face/auth", "/v1/face/auth"}, endpoints)
	assert.Contains(t, out.String(), "face is enrolled now")
	assert.Contains(t, out.String(), "The same person came: let in")
	assert.Contains(t, out.String(), "An impostor came:     kept out")
	assert.Contains(t, out.String(), "simulated")
}

func TestRun_AcceptsPhotosOfAnyResolution(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string, opts ...aimbraintest.MediaOption) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, aimbraintest.FacePhoto(name, opts...), 0o600))
		return path
	}
	// The fake takes three names for three subjects unless they are assigned to one.
	me := file("me.jpg", aimbraintest.Resolution(490, 696)) + "," + file("me2.jpg", aimbraintest.Progressive())
	var out bytes.Buffer
	args := []string{"-enroll", me, "-same", file("me3.jpg", aimbraintest.WithEXIF()), "-impostor", file("friend.jpg")}
	require.NoError(t, run(t.Context(), args, noEnv, &out))
	assert.Contains(t, out.String(), "The same person came: let in")
	assert.Contains(t, out.String(), "An impostor came:     kept out")
}

func TestRun_ReportsInvalidFlags(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.ErrorContains(t, run(t.Context(), []string{"-enroll", "no-such-file.jpg"}, noEnv, &out), "-enroll")
	require.ErrorContains(t, run(t.Context(), []string{"-enroll", "a.jpg", "b.jpg"}, noEnv, &out), "commas")
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, noEnv, &out), flag.ErrHelp)
	own := filepath.Join(t.TempDir(), "own.jpg")
	require.NoError(t, os.WriteFile(own, aimbraintest.FacePhoto("ada"), 0o600))
	require.ErrorContains(t, run(t.Context(), []string{"-enroll", own, "-impostor", own}, noEnv, &out), "own photos")
	require.ErrorContains(t, run(t.Context(), []string{"-enroll", own, "-same", own, "-impostor", "x.jpg"}, noEnv, &out), "-impostor")
	require.ErrorContains(t, run(t.Context(), []string{"-enroll", own, "-same", "x.jpg"}, noEnv, &out), "-same")
	require.ErrorContains(t, run(t.Context(), []string{"-same", "x.jpg"}, noEnv, &out), "-enroll")
	set := func(name string) string { return strings.Repeat("x", len(name)) }
	require.ErrorContains(t, run(t.Context(), nil, set, &out), "real faces")
}
