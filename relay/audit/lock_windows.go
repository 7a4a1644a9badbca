package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const sharingViolation = syscall.Errno(32) // ERROR_SHARING_VIOLATION

// lockFolder locks a folder for this process until release is called: the lock file is
// opened so that nobody else can open it. The system releases it when the process
// ends.
func lockFolder(folder string) (release func(), err error) {
	path := filepath.Join(folder, lockName)
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const share = 0
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, share, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, fmt.Errorf("audit: %s: %w", folder, ErrLocked)
	}
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return func() { _ = syscall.CloseHandle(handle) }, nil
}

// syncFolder does nothing: Windows has no such call, and keeps names durable by its
// own journal.
func syncFolder(string) error { return nil }
