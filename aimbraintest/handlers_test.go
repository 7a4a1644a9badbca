package aimbraintest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestFakeSessions_RefusesIDsThatItCannotKeep(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	for name, request := range map[string]aimbrain.SessionRequest{
		"user id": {UserID: strings.Repeat("u", 20_000), Device: "d", System: "s"},
		"device":  {UserID: "u", Device: strings.Repeat("d", 20_000), System: "s"},
	} {
		_, err := fake.Client().Sessions.Create(t.Context(), request)
		assert.ErrorIs(t, err, aimbrain.ErrBadRequest, name)
	}
}

func TestFake_CompareNeedsNoSessionAndStoresNothing(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	client := fake.Client()
	photo, video := aimbrain.Photos(aimbraintest.FacePhoto("ada")), aimbrain.Videos(aimbraintest.FaceVideo("ada"))
	same, err := client.Face.Compare(t.Context(), photo, video)
	require.NoError(t, err)
	assert.True(t, same.Matches(0.8))
	assert.Zero(t, same.Liveliness1)
	assert.GreaterOrEqual(t, same.Liveliness2, 0.85)
	face, _, _ := fake.Status("")
	assert.Equal(t, aimbrain.NotEnrolled, face)
}
