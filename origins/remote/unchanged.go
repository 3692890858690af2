package remote

import "github.com/imageorigin/imageorigin/origins"

// Unchanged returns the error that says that the copy which the caller has of key is still the current one, with what
// now is known of who may see it and how long it may be kept.
func Unchanged(key string, now origins.Attributes) *origins.Error {
	return &origins.Error{Kind: origins.NotModified, Key: key, CacheControl: now.CacheControl, Age: now.Age, Private: now.Private}
}

// unchanged reports whether an answer is of the version that the validator of req names, though it doesn't say so: by the
// same ETag. Some servers know no conditions, and some none with weak ETags. Whoever asks by Match for the bytes of a
// version wants them.
func unchanged(req origins.Request, now origins.Attributes) bool {
	return req.Validator.ETag != "" && req.Validator.ETag == now.ETag && req.Match == ""
}
