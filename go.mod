module errpipe

go 1.19
