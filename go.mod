// SPDX-License-Identifier: MIT

module errpipe

go 1.19
