"""Files of products: kept, published row by row at a bounded pace, and answered in a file."""
