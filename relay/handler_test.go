package relay_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/relay"
)

func TestHandler_AcceptedPaymentIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	b.order("7", payment("7", 12_50, "DE01"))
	ada := b.app("ada").with("X-Order", "7")

	got := ada.face(face("ada", 3))
	require.Equal(t, "accepted", got.kind(), got.text)
	assert.Equal(t, http.StatusOK, got.status)
	require.NotEmpty(t, got.Grant)

	grant, err := b.h.Redeem(t.Context(), got.Grant, user("ada"), payment("7", 12_50, "DE01"))
	require.NoError(t, err)
	assert.Equal(t, []aimbrain.Module{aimbrain.ModuleFace}, grant.Modules)
	assert.Equal(t, relay.Inherence, grant.Element)
	_, err = b.h.Redeem(t.Context(), got.Grant, user("ada"), payment("7", 12_50, "DE01"))
	assert.ErrorIs(t, err, relay.ErrGrantRedeemed)
}

func TestHandler_RejectsAnImpostor(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	got := b.app("ada").face(face("mallory", 1))
	assert.JSONEq(t, `{"result":"rejected"}`, got.text)
}
