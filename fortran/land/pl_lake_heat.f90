!> Heat in a lake: one implicit step between its layers (backward Euler), eliminated from the bottom up.
!>
!> The elimination says how the top layer answers to the surface flux, so that the balance of the skin is solved with the
!> temperature that the top layer has at the end of the step. Ice and water of the step's start give the heat capacity; how
!> much of either there is at its end follows from the enthalpy.
module pl_lake_heat
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water, heat_capacity_ice, heat_capacity_water
   use pl_kinds, only: rk
   use pl_lake_chunk, only: lake_chunk_type, lake_layers
   implicit none (type, external)
   private
   public :: eliminate_layers, lake_heat_type, substitute_layers, top_gain

   !> The linear system for the temperature changes of the layers, eliminated from below.
   type :: lake_heat_type
      real(rk) :: capacity(w, lake_layers) !! of the layers [J m-2 K-1]
      real(rk) :: coupling(w, lake_layers) !! dt times the conductance to the layer below [J m-2 K-1]
      real(rk) :: pivot(w, lake_layers)    !! [J m-2 K-1]
      real(rk) :: right(w, lake_layers)    !! right-hand side without the surface flux [J m-2]
   end type lake_heat_type

contains

   !> Set up and eliminate: pivot(:, 1)*change of the top layer = right(:, 1) + dt*(flux into the top layer).
   pure subroutine eliminate_layers(dt, lake, between, absorbed, heat)
      real(rk), intent(in) :: dt                       !! time step [s]
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(in) :: between(w, lake_layers)  !! conductance to the layer below [W m-2 K-1]
      real(rk), intent(in) :: absorbed(w, lake_layers) !! shortwave [W m-2]
      type(lake_heat_type), intent(out) :: heat
      real(rk) :: flow, ice, share
      integer :: i, k
      do k = 1, lake_layers
         do i = 1, w
            ice = lake%ice(i, k)
            heat%capacity(i, k) = density_water*lake%thickness(i, k) &
                                  *((1.0_rk - ice)*heat_capacity_water + ice*heat_capacity_ice)
            heat%coupling(i, k) = dt*between(i, k)
            heat%right(i, k) = dt*absorbed(i, k)
         end do
      end do
      do i = 1, w
         heat%pivot(i, 1) = heat%capacity(i, 1) + heat%coupling(i, 1)
      end do
      do k = 2, lake_layers
         do i = 1, w
            flow = heat%coupling(i, k - 1)*(lake%temperature(i, k - 1) - lake%temperature(i, k))
            heat%right(i, k - 1) = heat%right(i, k - 1) - flow
            heat%right(i, k) = heat%right(i, k) + flow
            heat%pivot(i, k) = heat%capacity(i, k) + heat%coupling(i, k) + heat%coupling(i, k - 1)
         end do
      end do
      do k = lake_layers - 1, 1, -1
         do i = 1, w
            share = heat%coupling(i, k)/heat%pivot(i, k + 1)
            heat%pivot(i, k) = heat%pivot(i, k) - heat%coupling(i, k)*share
            heat%right(i, k) = heat%right(i, k) + share*heat%right(i, k + 1)
         end do
      end do
   end subroutine eliminate_layers

   !> Heat that the top layer gains in the step under a surface flux.
   elemental real(rk) function top_gain(dt, capacity, pivot, right, flux)
      real(rk), intent(in) :: dt       !! time step [s]
      real(rk), intent(in) :: capacity !! of the top layer [J m-2 K-1]
      real(rk), intent(in) :: pivot    !! of the top layer [J m-2 K-1]
      real(rk), intent(in) :: right    !! its right-hand side without the surface flux [J m-2]
      real(rk), intent(in) :: flux     !! into the top layer [W m-2]
      top_gain = capacity*((right + dt*flux)/pivot)
   end function top_gain

   !> Add what flows into and between the layers to their enthalpy; the sum grows by dt*(flux + sum(absorbed)).
   pure subroutine substitute_layers(dt, heat, flux, enthalpy)
      real(rk), intent(in) :: dt                          !! time step [s]
      type(lake_heat_type), intent(in) :: heat
      real(rk), intent(in) :: flux(w)                     !! into the top layer [W m-2]
      real(rk), intent(inout) :: enthalpy(w, lake_layers) !! [J m-2]
      real(rk) :: change(w) ! of the layer's temperature in the linear system [K]
      integer :: i, k
      do i = 1, w
         change(i) = (heat%right(i, 1) + dt*flux(i))/heat%pivot(i, 1)
         enthalpy(i, 1) = enthalpy(i, 1) + heat%capacity(i, 1)*change(i)
      end do
      do k = 2, lake_layers
         do i = 1, w
            change(i) = (heat%right(i, k) + heat%coupling(i, k - 1)*change(i))/heat%pivot(i, k)
            enthalpy(i, k) = enthalpy(i, k) + heat%capacity(i, k)*change(i)
         end do
      end do
   end subroutine substitute_layers

end module pl_lake_heat
