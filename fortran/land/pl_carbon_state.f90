!> Fields of the carbon cycle of a set of columns; they exist only where it is computed.
module pl_carbon_state
   use pl_carbon_step, only: carbon_none
   use pl_error, only: error_type
   use pl_field_table, only: field_table_type, role_flux, role_parameter, role_state
   use pl_kinds, only: rk
   use pl_soil_carbon, only: npool
   implicit none (type, external)
   private
   public :: carbon_fields_type, create_carbon_fields

   !> Options and fields of carbon.
   type :: carbon_fields_type
      integer :: scheme = carbon_none          !! pl_carbon_step: carbon_*
      real(rk) :: fluorescence_yield = 0.0_rk  !! fluorescence per gross primary production [W m-2 um-1 sr-1 / (kg m-2 s-1)]
      ! state
      real(rk), allocatable :: plant_carbon(:, :)    !! store per patch, per area of the patch [kg m-2]
      real(rk), allocatable :: carbon_pools(:, :)    !! litter 1 to 3, soil 1 to 3 [kg m-2]
      real(rk), allocatable :: production_sum(:, :)  !! net primary production per patch since the sums began [kg m-2]
      real(rk), allocatable :: decomposition_sum(:, :) !! control of decay since the sums began [s]
      real(rk), allocatable :: sum_time(:, :)        !! time since the sums began [s]
      ! parameters, per patch
      real(rk), allocatable :: stem_nitrogen(:, :)   !! of live stems [kg m-2]
      real(rk), allocatable :: root_nitrogen(:, :)   !! [kg m-2]
      real(rk), allocatable :: litterfall_rate(:, :)  !! [s-1]
      ! results of the last step
      real(rk), allocatable :: patch_gross(:, :)            !! gross primary production per patch [kg m-2 s-1]
      real(rk), allocatable :: patch_leaf_respiration(:, :) !! [kg m-2 s-1]
      real(rk), allocatable :: net_primary_production(:, :)    !! [kg m-2 s-1]
      real(rk), allocatable :: autotrophic_respiration(:, :)   !! [kg m-2 s-1]
      real(rk), allocatable :: heterotrophic_respiration(:, :) !! [kg m-2 s-1]
      real(rk), allocatable :: net_ecosystem_exchange(:, :)    !! positive to the air [kg m-2 s-1]
      real(rk), allocatable :: litterfall(:, :)                !! [kg m-2 s-1]
      real(rk), allocatable :: fluorescence(:, :)              !! [W m-2 um-1 sr-1]
      real(rk), allocatable :: decomposition_factor(:, :)      !! control of decay by temperature and water [1]
      real(rk), allocatable :: vegetation_carbon(:, :)         !! [kg m-2]
      real(rk), allocatable :: litter_carbon(:, :)             !! [kg m-2]
      real(rk), allocatable :: soil_carbon(:, :)               !! [kg m-2]
      real(rk), allocatable :: carbon_balance_residual(:, :)   !! [kg m-2 per step]
   end type carbon_fields_type

contains

   !> Allocate all fields of carbon and enter them in the table.
   subroutine create_carbon_fields(table, npatch, carbon, error)
      type(field_table_type), intent(inout) :: table
      integer, intent(in) :: npatch !! patches per column [1]
      type(carbon_fields_type), target, intent(inout) :: carbon
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      call table%create(carbon%plant_carbon, "plant_carbon", role_state, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%carbon_pools, "carbon_pools", role_state, npool, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%production_sum, "production_sum", role_state, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%decomposition_sum, "decomposition_sum", role_state, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%sum_time, "carbon_sum_time", role_state, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%stem_nitrogen, "stem_nitrogen", role_parameter, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%root_nitrogen, "root_nitrogen", role_parameter, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%litterfall_rate, "litterfall_rate", role_parameter, npatch, 3.2e-8_rk, error)
      if (allocated(error)) return
      call create_results(table, npatch, carbon, error)
   end subroutine create_carbon_fields

   subroutine create_results(table, npatch, carbon, error)
      type(field_table_type), intent(inout) :: table
      integer, intent(in) :: npatch
      type(carbon_fields_type), target, intent(inout) :: carbon
      type(error_type), allocatable, intent(out) :: error
      call table%create(carbon%patch_gross, "patch_gross_production", role_flux, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%patch_leaf_respiration, "patch_leaf_respiration", role_flux, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%net_primary_production, "net_primary_production", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%autotrophic_respiration, "autotrophic_respiration", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%heterotrophic_respiration, "heterotrophic_respiration", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%net_ecosystem_exchange, "net_ecosystem_exchange", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%litterfall, "litterfall", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%fluorescence, "chlorophyll_fluorescence", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%decomposition_factor, "decomposition_factor", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%vegetation_carbon, "vegetation_carbon", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%litter_carbon, "litter_carbon", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%soil_carbon, "soil_carbon", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(carbon%carbon_balance_residual, "carbon_balance_residual", role_flux, 1, 0.0_rk, error)
   end subroutine create_results

end module pl_carbon_state
