!> The lake of a chunk of columns: its state, its results, and temperature and ice that belong to an enthalpy.
!>
!> A lake is a stack of layers of fixed mass (liquid water of the layer's thickness; the expansion of ice is neglected as
!> in CLM), top first. Enthalpy is zero for ice at the freezing point, as in snow and soil, so that temperature and
!> ice of a layer follow from its enthalpy alone: energy is conserved through freezing and melting.
module pl_lake_chunk
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water, freezing_point, heat_capacity_ice, heat_capacity_water, latent_fusion
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: lake_chunk_type, lake_flux_type, lake_layers, snow_density
   public :: find_enthalpy, settle_enthalpy

   integer, parameter :: lake_layers = 10 !! layers of a lake [1]
   real(rk), parameter :: snow_density = 300.0_rk !! of snow on lake ice [kg m-3]

   !> State and parameters of one lake per lane.
   type :: lake_chunk_type
      real(rk) :: thickness(w, lake_layers)   !! of the layers as liquid water [m]
      real(rk) :: temperature(w, lake_layers) !! [K]
      real(rk) :: ice(w, lake_layers)         !! share of the layer's mass that is frozen [1]
      real(rk) :: snow(w)                     !! on the ice [kg m-2]
      real(rk) :: surface_temperature(w)      !! of the skin: water, ice or snow [K]
      real(rk) :: depth(w)                    !! sum of the thicknesses [m]
      real(rk) :: extinction(w)               !! of visible light [m-1]
      real(rk) :: rotation(w)                 !! sine of the latitude, positive [1]
   end type lake_chunk_type

   !> Results of a step, means over it; fluxes to the air are positive upward.
   type :: lake_flux_type
      real(rk) :: shortwave_up(w)      !! [W m-2]
      real(rk) :: longwave_up(w)       !! [W m-2]
      real(rk) :: sensible(w)          !! [W m-2]
      real(rk) :: latent(w)            !! [W m-2]
      real(rk) :: evaporation(w)       !! sublimation included [kg m-2 s-1]
      real(rk) :: sublimation(w)       !! part of it from ice and snow [kg m-2 s-1]
      real(rk) :: heat_gain(w)         !! of lake and snow, and by melt water that runs off [W m-2]
      real(rk) :: snow_melt(w)         !! snow that turned into water of the lake, new snow on open water included [kg m-2 s-1]
      real(rk) :: runoff(w)            !! what a lake of fixed level sheds (negative: needs) [kg m-2 s-1]
      real(rk) :: friction_velocity(w) !! [m s-1]
      real(rk) :: energy_residual(w)   !! [W m-2]
      real(rk) :: water_residual(w)    !! [kg m-2]
   end type lake_flux_type

contains

   !> Enthalpy of the layers.
   pure subroutine find_enthalpy(lake, enthalpy)
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(out) :: enthalpy(w, lake_layers) !! [J m-2]
      real(rk) :: warmth
      integer :: i, k
      do k = 1, lake_layers
         do i = 1, w
            warmth = lake%temperature(i, k) - freezing_point
            enthalpy(i, k) = density_water*lake%thickness(i, k) &
                             *((1.0_rk - lake%ice(i, k))*(latent_fusion + heat_capacity_water*warmth) &
                               + lake%ice(i, k)*heat_capacity_ice*warmth)
         end do
      end do
   end subroutine find_enthalpy

   !> Temperature and ice of the layers from their enthalpy: all ice, all water, or both at the freezing point.
   pure subroutine settle_enthalpy(enthalpy, lake)
      real(rk), intent(in) :: enthalpy(w, lake_layers) !! [J m-2]
      type(lake_chunk_type), intent(inout) :: lake
      real(rk) :: specific ! enthalpy [J kg-1]
      integer :: i, k
      do k = 1, lake_layers
         do i = 1, w
            specific = enthalpy(i, k)/(density_water*lake%thickness(i, k))
            lake%temperature(i, k) = freezing_point + min(specific, 0.0_rk)/heat_capacity_ice &
                                     + max(specific - latent_fusion, 0.0_rk)/heat_capacity_water
            lake%ice(i, k) = 1.0_rk - min(max(specific, 0.0_rk), latent_fusion)/latent_fusion
         end do
      end do
   end subroutine settle_enthalpy

end module pl_lake_chunk
