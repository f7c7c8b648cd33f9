"""In and out: text, times, words, phones, secrets. No request and no database."""
