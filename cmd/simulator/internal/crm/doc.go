// Package crm is the data of the simulated application: tenants have companies
// and organisations, companies have contacts, with whom there are interactions.
// What a row holds follows from the seed and the row's number alone: rows can be
// made in any order and in parallel, and whoever asks for a contact by its e-mail
// knows it without looking.
package crm
