"""Publishing what was published before, or what a file or the store holds, under the ids that it has."""
