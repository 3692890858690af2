package vipsexec

import (
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/transform/plan"
)

var options = []block.Option[*Vips]{
	{Usage: "workers <number>", Args: block.Number(func(v *Vips) *int { return &v.Workers })},
	{Usage: "isolation process|off", Args: block.One(func(v *Vips) *string { return &v.Isolation }), Check: checkIsolation},
	{Usage: "memory_limit <size>", Args: block.Size(func(v *Vips) *int64 { return &v.MemoryLimit }), Check: checkMemory},
	{Usage: "recycle_after <number>", Args: block.Number(func(v *Vips) *int { return &v.RecycleAfter })},
	{Usage: "inputs <format...>", Args: block.Some(func(v *Vips) *[]string { return &v.Inputs }), Check: checkInputs},
}

func checkIsolation(v *Vips) error {
	switch v.Isolation {
	case "", isolationProcess, isolationOff:
		return nil
	}
	return fmt.Errorf("isolation %q is not known; expected %s or %s", v.Isolation, isolationProcess, isolationOff)
}

func checkMemory(v *Vips) error {
	if v.MemoryLimit != 0 && v.MemoryLimit < leastMemory {
		return fmt.Errorf("memory_limit is %d bytes; set 256MiB or more, for a worker at rest takes most of that", v.MemoryLimit)
	}
	return nil
}

// checkTogether judges what only worker processes can do.
func checkTogether(v *Vips, inputs plan.Set) error {
	if v.Isolation != isolationOff {
		return nil
	}
	switch {
	case v.MemoryLimit != 0:
		return errors.New("memory_limit is about worker processes, and isolation is off; take one of them out")
	case v.RecycleAfter != 0:
		return errors.New("recycle_after is about worker processes, and isolation is off; take one of them out")
	case inputs.Has(plan.PDF):
		return errors.New("inputs: pdf is read in worker processes only, because much has been broken into by it, and isolation is off; take one of them out")
	}
	return nil
}

func checkInputs(v *Vips) error {
	_, err := ParseInputs(v.Inputs)
	return err
}

// UnmarshalCaddyfile reads
//
//	vips {
//		workers        <n>
//		isolation      process|off
//		memory_limit   <size>
//		recycle_after  <n>
//		inputs         <format...>
//	}
func (v *Vips) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	if d.NextArg() {
		return d.Errf("unexpected %q; the engine's options stand in a block: workers, isolation, memory_limit, recycle_after, inputs", d.Val())
	}
	set, err := block.Read(d, v, options)
	if err != nil {
		return err
	}
	inputs, _ := ParseInputs(v.Inputs) // read and judged before
	if err := checkTogether(v, inputs); err != nil {
		return set["isolation"].Wrap(err)
	}
	return nil
}
