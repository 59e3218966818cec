!> Snow on lake ice: one store without heat capacity at the freezing point.
!>
!> It gains snowfall and frost, sublimates, melts with what the surface balance leaves, and what the ice cannot carry
!> sinks (Archimedes: the freeboard of the ice is all it carries) and turns into lake water or ice: it takes its latent
!> heat from the water. Without ice all snowfall sinks. The lake keeps its level, so the water that comes runs off.
module pl_lake_snow
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_ice, density_water, latent_fusion
   use pl_kinds, only: rk
   use pl_lake_chunk, only: lake_chunk_type, lake_layers
   implicit none (type, external)
   private
   public :: sink_snow, step_snow

   real(rk), parameter :: buoyancy = density_water/density_ice - 1.0_rk !! mass that floating ice carries, by its own [1]

contains

   !> Snowfall, sublimation and melt; energy that is left melts ice.
   pure subroutine step_snow(dt, is_frozen, snowfall, evaporation, melt_energy, snow, enthalpy, sublimated, melted)
      real(rk), intent(in) :: dt               !! time step [s]
      logical, intent(in) :: is_frozen(w)      !! ice lies at the surface
      real(rk), intent(in) :: snowfall(w)      !! [kg m-2 s-1]
      real(rk), intent(in) :: evaporation(w)   !! of the lake [kg m-2 s-1]
      real(rk), intent(in) :: melt_energy(w)   !! [W m-2]
      real(rk), intent(inout) :: snow(w)       !! [kg m-2]
      real(rk), intent(inout) :: enthalpy(w)   !! of the top layer [J m-2]
      real(rk), intent(out) :: sublimated(w)   !! from the snow; frost negative [kg m-2]
      real(rk), intent(out) :: melted(w)       !! [kg m-2]
      integer :: i
      do i = 1, w
         snow(i) = snow(i) + dt*snowfall(i)
         sublimated(i) = merge(min(dt*evaporation(i), snow(i)), 0.0_rk, is_frozen(i))
         snow(i) = snow(i) - sublimated(i)
         melted(i) = min(max(dt*melt_energy(i)/latent_fusion, 0.0_rk), snow(i))
         snow(i) = snow(i) - melted(i)
         enthalpy(i) = enthalpy(i) + (dt*melt_energy(i) - latent_fusion*melted(i))
      end do
   end subroutine step_snow

   !> Let sink what the ice cannot carry; layers give the latent heat from the top. Where no water is left, snow stays.
   pure subroutine sink_snow(lake, snow, enthalpy, sunk)
      type(lake_chunk_type), intent(in) :: lake           !! temperature and ice that belong to the enthalpy
      real(rk), intent(inout) :: snow(w)                  !! [kg m-2]
      real(rk), intent(inout) :: enthalpy(w, lake_layers) !! [J m-2]
      real(rk), intent(out) :: sunk(w)                    !! [kg m-2]
      real(rk) :: carried(w), given, mass
      integer :: i, k
      carried = 0.0_rk
      do k = 1, lake_layers
         do i = 1, w
            carried(i) = carried(i) + buoyancy*density_water*lake%thickness(i, k)*lake%ice(i, k)
         end do
      end do
      do i = 1, w
         carried(i) = max(snow(i) - carried(i), 0.0_rk) ! what is left to sink
         sunk(i) = 0.0_rk
      end do
      do k = 1, lake_layers
         do i = 1, w
            mass = density_water*lake%thickness(i, k)*(1.0_rk - lake%ice(i, k))
            given = min(carried(i), mass)
            carried(i) = carried(i) - given
            sunk(i) = sunk(i) + given
            enthalpy(i, k) = enthalpy(i, k) - latent_fusion*given
         end do
      end do
      snow = max(snow - sunk, 0.0_rk)
   end subroutine sink_snow

end module pl_lake_snow
