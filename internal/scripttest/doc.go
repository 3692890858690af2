// Package scripttest proves xcaddy.sh, the one command by which people build, run and test the server.
//
// Most of its tests give the script a machine made of stubs: a PATH that holds nothing but the few standard tools it may
// use, package managers that only write down how they were called, and a libvips, a compiler and a Go that claim what the
// test wants. One test lets the script loose on the real machine, in a copy of the repository, and asks the server that
// it starts for pictures.
package scripttest
