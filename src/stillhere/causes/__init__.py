"""Why a connection was lost: pure rules over what was observed, one file each."""
