"""MongoDB, Redis, photos: everything that is kept, encrypted field by field."""
