package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRun_ShowsWhatIsAcceptedAndWhatIsRefused(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, `another payment with the grant: refused: relay: the grant is for another action
accepted payment: paid payment "7001" 12500 EUR
replayed grant: refused: relay: the grant was redeemed before
another user's session: session_expired
rejected impostor: rejected
rejected impostor: rejected
rejected impostor: rejected
rejected impostor: rejected
rejected impostor: rejected
lock-out: locked, retry after 30 s
audit file verified: true, 17 records
`, out.String())
}
