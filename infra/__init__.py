"""The ground aisle stands on: settings, logging, Kafka, MongoDB, local services and their supervisor."""
