package abi_test

import "gradgen.dev/runtime/abi"

// The reference that emitted code makes has to be a constant expression.
const _ = abi.RuntimeIsAtLeastV1
