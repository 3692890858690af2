package vipsexec

/*
#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>

static void *list_open(GType type, void *names) {
	VipsOperationClass *class = VIPS_OPERATION_CLASS(g_type_class_ref(type));
	if (!G_TYPE_IS_ABSTRACT(type) && !(class->flags & VIPS_OPERATION_BLOCKED))
		g_string_append_printf((GString *) names, "%s\n", g_type_name(type));
	g_type_class_unref(class);
	return NULL;
}

static char *open_operations(const char *base) {
	GType type = g_type_from_name(base);
	GString *names = g_string_new("");
	if (type != 0)
		vips_type_map_all(type, list_open, names);
	return g_string_free(names, FALSE);
}
*/
import "C"

import (
	"slices"
	"strings"
	"unsafe"
)

// OpenOperations asks libvips which of its loaders and savers are open, each by the class that does the work:
// VipsForeignLoadJpegBuffer. It starts libvips if need be.
func OpenOperations() (loading, saving []string, err error) {
	if err := start(); err != nil {
		return nil, nil, err
	}
	return openBelow("VipsForeignLoad"), openBelow("VipsForeignSave"), nil
}

func openBelow(base string) []string {
	name := C.CString(base)
	defer C.free(unsafe.Pointer(name))
	list := C.open_operations(name)
	defer C.g_free(C.gpointer(unsafe.Pointer(list)))
	names := strings.Fields(C.GoString(list))
	slices.Sort(names)
	return names
}
